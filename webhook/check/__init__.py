"""From manifests to a report: once for all of them, or one file at a time."""
