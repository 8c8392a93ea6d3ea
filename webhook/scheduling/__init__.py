"""Whether a pod fits a node, as kube-scheduler decides it. Does no I/O and knows nothing of KubeVirt."""
