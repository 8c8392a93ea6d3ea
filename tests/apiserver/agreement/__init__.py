"""
One cluster, four answers about each of its objects: ``audit``, ``check``, admission and the dry-run API.

    python -m tests.apiserver.agreement 2000 SEED

creates that many objects, compares the answers, and prints each difference as JSON.
"""
