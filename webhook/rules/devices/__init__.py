"""Rules about host devices, GPUs and persistent reservations."""
