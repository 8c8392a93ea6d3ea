"""
Classes into which Kubernetes objects are read. Unknown fields are ignored, and types are checked.

This package does no I/O.
"""
