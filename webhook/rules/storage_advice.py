"""Registers the rules about the storage behind a VM's claims. These rules need more objects than the rules about VMs."""

from webhook.rules.rule import Rule
from webhook.rules.storage import (
    storage_class_missing,
    volume_for_one_node,
    volume_migration_blocked,
    volume_migration_refused,
)

STORAGE_RULES: tuple[Rule, ...] = (
    volume_for_one_node.RULE,
    storage_class_missing.RULE,
    volume_migration_blocked.RULE,
    volume_migration_refused.RULE,
)
