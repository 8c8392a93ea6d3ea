"""The pages: pure functions of the visible state and the parameters. ``docs/page.md`` has the design notes."""
