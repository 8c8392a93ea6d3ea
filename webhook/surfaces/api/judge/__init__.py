"""Judges untrusted manifests in a separate process. It imports no server package."""
