"""Rules about volumes and their PersistentVolumeClaims (PVCs)."""
