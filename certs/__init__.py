"""Serving certificates that look after themselves. This package and ``webhook`` never import each other."""
