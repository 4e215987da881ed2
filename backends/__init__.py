"""Adapters, one file for each framework, loaded by name when the first operand of a framework is met."""
