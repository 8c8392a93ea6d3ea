"""The pages for operators: who may see what, and the process that renders the pages (``webhook.console``)."""
