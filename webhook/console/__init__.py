"""
The pages for operators: a cluster at a glance, its VMs, the drain of its nodes, and its MigrationPolicies.

``migratable serve`` runs this package in a process of its own (``webhook.surfaces.api.console``), because the pages of 10,000 VMs
must not delay admission. The package only reads a cluster.
"""
