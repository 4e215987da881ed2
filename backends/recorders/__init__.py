"""Not adapters: each module records calls of placeholder objects in a graph, instead of computing them.

They follow the protocol `einsum_unified.adapter.Recorder`, and unlike adapters need much of the core.
"""
