"""Gathers facts, from manifests or from a cluster: all the I/O there is."""
