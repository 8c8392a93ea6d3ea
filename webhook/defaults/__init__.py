"""The defaults, one file each. ``register`` has all of them."""
