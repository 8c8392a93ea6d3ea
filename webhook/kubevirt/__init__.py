"""
KubeVirt's behaviour in each minor release: the reasons against live migration and their order, the defaults, and the expansion
of VMs.

This package does no I/O. Every fact in this package cites KubeVirt's code.
"""
