"""Applies rules to facts and returns findings and the verdict. This package does no I/O."""
