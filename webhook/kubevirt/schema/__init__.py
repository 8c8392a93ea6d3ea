"""The field names of KubeVirt's API by release, and their spelling."""
