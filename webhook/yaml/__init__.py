"""Reads and edits YAML and JSON exactly as kubectl and the API server do. This package does no I/O."""
