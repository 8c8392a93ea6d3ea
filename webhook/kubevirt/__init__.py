"""
KubeVirt's behaviour in each minor release: the reasons that prevent live migration, in KubeVirt's order, the defaults, and the
expansion of VMs.

This package does no I/O. Every fact in this package cites KubeVirt's code.
"""
