"""Applies rules to facts: findings and the verdict, of VMs and of the cluster's settings. This package does no I/O."""
