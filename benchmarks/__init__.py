"""Benchmarks: ``python -m benchmarks`` compares the times of this package and others; see README.md."""
