"""Registers the rules about the target pod of a live migration. These rules need more objects than the rules about VMs."""

from webhook.rules.eviction import (
    anti_affinity,
    budget_blocks_drain,
    budget_without_effect,
    host_model_one_node,
    no_second_node,
    pinned_to_node,
)
from webhook.rules.network import address_changes, bridge_override_address
from webhook.rules.rule import Rule

TARGET_RULES: tuple[Rule, ...] = (
    address_changes.RULE,
    bridge_override_address.RULE,
    pinned_to_node.RULE,
    host_model_one_node.RULE,
    anti_affinity.RULE,
    no_second_node.RULE,
    budget_blocks_drain.RULE,
    budget_without_effect.RULE,
)
