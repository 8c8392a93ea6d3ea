"""Reads a cluster: list and watch, store, live reads, access reviews."""
