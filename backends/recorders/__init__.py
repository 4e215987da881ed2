"""Recorders: each module records calls with placeholder objects in a graph instead of computing them.

They follow the protocol `einsum_unified.adapter.Recorder`. Unlike adapters they use many parts of the core.
"""
