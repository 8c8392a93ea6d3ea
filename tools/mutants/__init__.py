"""Mutation testing of the core: `make mutants` (docs/decisions/0022-own-mutation-tool.md)."""
