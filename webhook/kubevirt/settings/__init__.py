"""Migration settings of the KubeVirt CR and of MigrationPolicies, and the time that they allow a migration."""
