"""Registers the rules about the target pod of a live migration. These rules need more objects than the rules about VMs."""

from webhook.rules.eviction import (
    anti_affinity,
    budget_blocks_drain,
    budget_without_effect,
    host_model_alone,
    host_model_one_node,
    larger_than_nodes,
    live_migrate_on_one_node,
    no_second_node,
    no_second_node_now,
    pinned_to_node,
    quota_without_room,
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
    no_second_node_now.RULE,
    live_migrate_on_one_node.RULE,
    host_model_alone.RULE,
    quota_without_room.RULE,
    larger_than_nodes.RULE,
)
