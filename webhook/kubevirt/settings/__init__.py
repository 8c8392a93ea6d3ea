"""Migration settings of the KubeVirt CR and of MigrationPolicies, and the time that these settings allow for a migration."""
