"""The composition root: listeners, limits, TLS, metrics, life cycle. Only this package connects the other ones."""
