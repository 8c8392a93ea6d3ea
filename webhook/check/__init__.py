"""Checks manifests and builds a report: all at once, or one file at a time."""
