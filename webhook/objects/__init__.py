"""
Kubernetes objects as they are read: unknown fields are ignored, types are checked.

This package does no I/O.
"""
