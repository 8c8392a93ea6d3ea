"""The rules, one file each; ``machines``, ``budget`` and ``cluster`` register them, nothing else does; ``register`` has all."""
