"""
KubeVirt's behaviour by minor release: its reasons, their order, its defaulting and its expansion of VMs.

This package does no I/O and has no opinions: every fact cites KubeVirt's code.
"""
