"""Judges untrusted manifests in a separate process. It imports nothing of a server."""
