"""Registers the rules about the migration settings, MigrationPolicies and migration networks of a cluster."""

from typing import Final

from webhook.facts.features import Feature
from webhook.rules.chosen import ChosenRules


def _all(*modules: str) -> ChosenRules:
    """Rules that are called for each object of their subject."""
    return ChosenRules(dict.fromkeys(modules, Feature.ANY))


SETTINGS_RULES: Final = _all(
    "settings.type",
    "settings.unknown",
    "settings.too_new",
    "settings.misplaced",
    "settings.bandwidth_quantity",
    "settings.bandwidth_raised",
    "settings.bandwidth_unit",
    "settings.bandwidth_decimal",
    "settings.nothing_starts",
    "settings.range",
    "settings.downtime_gate",
    "settings.outbound",
    "settings.never_gives_up",
    "settings.negative_timeout",
    "settings.budget",
    "settings.progress_above_budget",
    "settings.dead_post_copy",
    "settings.tls_disabled",
    "settings.unsafe_override",
    "settings.post_copy",
    "settings.gate_unknown",
    "settings.gate_gone",
    "settings.gate_needless",
    "settings.drain_bridge",
    "settings.eviction_strategy",
    "settings.update_bridge",
    "settings.live_update",
    "settings.configuration_ignored",
    "settings.unknown_update_method",
    "settings.drain_taint_key",
    "settings.vgpu_gate",
    "settings.unknown_word",
)
POLICY_RULES: Final = _all(
    "policies.setting",
    "policies.cluster_setting",
    "policies.too_new",
    "policies.without_selectors",
    "policies.for_every_vmi",
    "policies.tied",
    "policies.budget",
    "policies.dead_post_copy",
    "policies.bandwidth_unit",
    "policies.never_gives_up",
    "policies.post_copy",
    "policies.matches_nothing",
    "policies.downtime_gate",
    "policies.unknown",
    "policies.tuning_conflict",
)
NETWORK_RULES: Final = _all(
    "migration_network.config",
    "migration_network.malformed",
    "migration_network.name",
    "migration_network.cni_version",
    "migration_network.plugin_setting",
    "migration_network.range",
    "migration_network.doubtful_range",
    "migration_network.cut_off",
    "migration_network.one_node",
    "migration_network.master",
    "migration_network.unaddressed",
    "migration_network.repeated_addresses",
    "migration_network.range_size",
    "migration_network.overlap",
    "migration_network.hides_apiserver",
    "migration_network.hides_cluster",
)
MIGRATION_NETWORK_RULES: Final = _all(
    "migration_network.use_name",
    "migration_network.use_absent",
    "migration_network.use_namespace",
    "migration_network.use_unfit",
)
VM_CHANGE_RULES: Final = _all(
    "eviction.change_waits",
)
NETWORK_CHANGE_RULES: Final = _all(
    "migration_network.changed",
)
MIGRATION_NETWORK_CHANGE_RULES: Final = _all(
    "migration_network.use_restart",
)
