"""The defaults, each in its own file. ``register`` lists all defaults."""
