"""Judges untrusted manifests in a separate process. This package imports no server package."""
