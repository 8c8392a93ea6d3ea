"""Assembles the server: listeners, limits, TLS, metrics, life cycle. Only this package connects the other packages."""
