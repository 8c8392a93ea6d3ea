"""Tests of the manifests: as written, as rendered by kustomize and Helm, and on an API server."""
