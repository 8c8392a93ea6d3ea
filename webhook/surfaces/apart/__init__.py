"""Manifests of strangers, judged in a process of its own; it imports nothing of a server."""
