"""Assembles ``migratable audit --watch``: the watched cluster, the election, the writer of reports, the listener."""
