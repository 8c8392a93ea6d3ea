"""Converts a HyperConverged CR to the KubeVirt CR that HyperConverged's operator writes. This package does no I/O."""
