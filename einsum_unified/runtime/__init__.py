"""What a call touches: keys and caches, the executables they hold, and how these run."""
