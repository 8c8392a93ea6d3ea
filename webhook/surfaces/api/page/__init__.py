"""The HTML pages: rendered by the server, readable without script. ``docs/page.md`` has the design notes."""
