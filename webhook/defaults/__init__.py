"""The defaults, one file each; ``register`` has them all."""
