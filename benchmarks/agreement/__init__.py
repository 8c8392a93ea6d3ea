"""Compares the answers of two checkouts of this project: `python -m benchmarks.agreement OLD [NEW]`."""
