"""Remedies as JSON Patches (RFC 6902), one module for each family of rules. This package does no I/O."""
