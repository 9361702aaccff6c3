"""The training container's entry point; the laptop mode starts the very same one as a subprocess."""
