"""The command line: one module for each command, and the code that they share."""
