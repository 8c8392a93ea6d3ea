"""Decides the enforcement action for each finding: profiles, namespaces, exemptions, accounts, updates."""
