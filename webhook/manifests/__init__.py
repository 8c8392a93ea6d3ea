"""Reads manifests, and Migratable's own files: policy files and snapshots."""
