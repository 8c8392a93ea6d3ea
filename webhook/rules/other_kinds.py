"""Registers the rules about manifests of any kind, which can be misspelt or a kind that is not read."""

from webhook.rules.machines import MANIFEST_RULES
from webhook.rules.manifest import (
    dead_configuration,
    manifest_kind,
    patched_copy,
    preset,
    refused_migration,
    unlisted_kind,
)
from webhook.rules.rule import Rule

OTHER_KIND_RULES: tuple[Rule, ...] = tuple(
    sorted(
        (
            manifest_kind.RULE,
            preset.RULE,
            *MANIFEST_RULES,
            unlisted_kind.RULE,
            dead_configuration.RULE,
            refused_migration.RULE,
            patched_copy.RULE,
        ),
        key=lambda rule: rule.id,
    )
)
"""Sorted by id, which is the order of findings."""
