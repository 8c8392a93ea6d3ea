"""
Computes whether a pod fits a node, with the rules of kube-scheduler. This package does no I/O and contains nothing about
KubeVirt.
"""
