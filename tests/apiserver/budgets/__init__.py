"""Compares ``webhook.scheduling.budgets`` with the API server's eviction API."""
