"""The rules, one file each. ``machines``, ``budget`` and ``cluster`` register them; ``register`` has all of them."""
