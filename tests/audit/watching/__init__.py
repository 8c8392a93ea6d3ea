"""Tests of the audit that watches a cluster."""
