"""Tests of the process of audit --watch."""
