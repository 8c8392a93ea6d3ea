"""Pure renderers, which show a report and decide nothing. This package does no I/O."""
