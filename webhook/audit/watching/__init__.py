"""Keeps the judgements of a running cluster current: watches it, and judges again the objects that a change concerns."""
