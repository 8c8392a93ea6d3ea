"""Decides what is done about a finding: enforcement actions, namespaces, exemptions, accounts."""
