"""Registers the rules about the target pod of a live migration. They need more objects than the rules about VMs."""

from webhook.rules.eviction import anti_affinity, host_model_one_node, no_second_node, pinned_to_node
from webhook.rules.rule import Rule

PLACEMENT_RULES: tuple[Rule, ...] = (
    pinned_to_node.RULE,
    no_second_node.RULE,
    host_model_one_node.RULE,
    anti_affinity.RULE,
)
TARGET_RULES: tuple[Rule, ...] = PLACEMENT_RULES
