"""
Random clusters and pods, the same for the same seed.

The values are few, so that they meet: labels and selectors, taints and tolerations, requests and what is left.
"""
