"""Reads objects of a cluster (list and watch, store, live reads) and sends access reviews."""
