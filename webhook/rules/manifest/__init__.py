"""Rules about manifests that an API server rejects or reads differently."""
