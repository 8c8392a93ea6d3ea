"""Audits a running cluster: lists its objects, judges them, and keeps reports about them as objects of the cluster."""
