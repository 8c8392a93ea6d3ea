"""The filter plugins of kube-scheduler. Each filter is made once for a pod, and then checks nodes."""
