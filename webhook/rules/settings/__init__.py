"""Rules about the migration settings of the KubeVirt CR."""
