"""Checks manifests and builds a report: all files together, or one file at a time."""
