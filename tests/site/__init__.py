"""The documentation site: every link leads somewhere, and every page is in the navigation."""
