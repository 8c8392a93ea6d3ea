"""The rules, one file each; ``machines`` and ``cluster`` register them and nothing else does; ``register`` has all."""
