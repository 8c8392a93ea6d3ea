"""Reads a HyperConverged CR as the KubeVirt CR that its operator writes. This package does no I/O."""
