"""Reads files: the objects in them, the policy file and snapshots."""
