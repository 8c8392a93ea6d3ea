"""Clusters of many VMs, for the audit: their objects, and a quick way into the etcd of a control plane."""
