"""Creates fixes of findings as JSON Patches (RFC 6902). This package does no I/O."""
