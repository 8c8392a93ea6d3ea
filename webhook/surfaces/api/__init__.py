"""The dry-run API and the page."""
