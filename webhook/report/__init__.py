"""Pure renderers: they say aloud what was found and have no opinions. This package does no I/O."""
