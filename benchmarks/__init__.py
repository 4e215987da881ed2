"""Benchmarks: ``python -m benchmarks`` times this package beside others; README.md says what and how."""
