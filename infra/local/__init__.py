"""A local AWS that really runs the stack: ministack for its services, processes for functions and tasks."""
