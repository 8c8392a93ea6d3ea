"""Rules about eviction strategies and what a node drain does."""
