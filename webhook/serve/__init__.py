"""The composition root: listeners, limits, TLS, metrics, life cycle. It is the only package that puts parts together."""
