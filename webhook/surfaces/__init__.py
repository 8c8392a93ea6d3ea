"""The interfaces of Migratable: command line, admission webhooks, backstop policies, and the dry-run API."""
