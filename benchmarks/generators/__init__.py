"""Generators of manifests: a VM of about 3 KB and its claim, written in different ways."""
