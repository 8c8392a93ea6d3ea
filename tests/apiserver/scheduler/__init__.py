"""Comparisons of webhook/scheduling with a real kube-scheduler and a real kube-apiserver, on generated clusters and pods."""
