"""Decides the enforcement action for each finding from the profile, the namespace, exemptions, the account and the old object."""
