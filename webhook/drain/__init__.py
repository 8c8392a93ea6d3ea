"""
Rehearses the drain of a node: which VMIs move, block, stop or wait. This package does no I/O.
"""
