"""Takes uploads in."""
