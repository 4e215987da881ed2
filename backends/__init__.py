"""Adapters, one file a framework; loaded by name when an operand of that framework shows up."""
