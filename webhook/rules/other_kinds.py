"""Registers the rules about manifests of kinds that are not read, and of kinds that are misspelt."""

from webhook.rules.manifest import dead_configuration, manifest_kind, preset, refused_migration, unlisted_kind
from webhook.rules.rule import Rule

OTHER_KIND_RULES: tuple[Rule, ...] = (
    manifest_kind.RULE,
    preset.RULE,
    unlisted_kind.RULE,
    dead_configuration.RULE,
    refused_migration.RULE,
)
