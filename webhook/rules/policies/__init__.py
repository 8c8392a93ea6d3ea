"""Rules about MigrationPolicies."""
