"""Reads and edits YAML and JSON exactly as kubectl and the API server read them. This package does no I/O."""
