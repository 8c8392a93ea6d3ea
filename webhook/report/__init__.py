"""Renderers for reports. They are pure functions and make no decisions. This package does no I/O."""
