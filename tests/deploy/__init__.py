"""What is installed: the manifests as they are written, as kustomize renders them, and as an API server takes them."""
