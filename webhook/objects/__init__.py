"""
The Kubernetes objects as we read them: lenient about unknown fields, strict about types.

This package does no I/O.
"""
