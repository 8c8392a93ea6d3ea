"""Reads manifests, and the project's own files: policy and snapshots."""
