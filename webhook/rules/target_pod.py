"""Registers the rules about the target pod of a live migration. These rules need more objects than the rules about VMs."""

from typing import Final

from webhook.facts.target import TargetFeature
from webhook.rules.chosen import ChosenRules

TARGET_RULES: Final = ChosenRules(
    {
        "network.address_changes": TargetFeature.ATTACHMENTS,
        "network.bridge_override_address": TargetFeature.BRIDGED_POD_NETWORK,
        "eviction.pinned_to_node": TargetFeature.PLACEMENT,
        "eviction.host_model_one_node": TargetFeature.NODES,
        "eviction.anti_affinity": TargetFeature.ANTI_AFFINITY,
        "eviction.no_second_node": TargetFeature.NODES,
        "eviction.budget_blocks_drain": TargetFeature.BUDGETS,
        "eviction.budget_without_effect": TargetFeature.BUDGETS,
        "eviction.no_second_node_now": TargetFeature.NODES,
        "eviction.live_migrate_on_one_node": TargetFeature.NODES,
        "eviction.host_model_alone": TargetFeature.NODES,
        "eviction.quota_without_room": TargetFeature.ROOM,
        "eviction.larger_than_nodes": TargetFeature.ROOM,
    }
)
