"""Rules about interfaces on the pod network."""
