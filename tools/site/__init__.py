"""
The documentation site: the pages of the repository, built with Sphinx.

`make site` builds it in `build/site`, with one folder for each version, and fails for a broken link or an orphan page.
`make site-serve` serves it.
"""
