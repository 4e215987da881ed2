"""The keys and caches of calls, the executables in the caches, and how executables run."""
