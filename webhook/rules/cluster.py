"""Registers the rules about the migration settings, MigrationPolicies and migration networks of a cluster."""

from webhook.rules.eviction import change_waits
from webhook.rules.migration_network import changed as network_changed
from webhook.rules.migration_network import cni_version as network_cni_version
from webhook.rules.migration_network import config as network_config
from webhook.rules.migration_network import cut_off as network_cut_off
from webhook.rules.migration_network import doubtful_range as network_doubtful_range
from webhook.rules.migration_network import hides_apiserver as network_hides_apiserver
from webhook.rules.migration_network import hides_cluster as network_hides_cluster
from webhook.rules.migration_network import malformed as network_malformed
from webhook.rules.migration_network import master as network_master
from webhook.rules.migration_network import name as network_name
from webhook.rules.migration_network import one_node as network_one_node
from webhook.rules.migration_network import overlap as network_overlap
from webhook.rules.migration_network import plugin_setting as network_plugin_setting
from webhook.rules.migration_network import range as network_range
from webhook.rules.migration_network import range_size as network_range_size
from webhook.rules.migration_network import repeated_addresses as network_repeated_addresses
from webhook.rules.migration_network import unaddressed as network_unaddressed
from webhook.rules.migration_network import use_absent as network_use_absent
from webhook.rules.migration_network import use_name as network_use_name
from webhook.rules.migration_network import use_namespace as network_use_namespace
from webhook.rules.migration_network import use_restart as network_use_restart
from webhook.rules.migration_network import use_unfit as network_use_unfit
from webhook.rules.policies import bandwidth_unit as policy_bandwidth_unit
from webhook.rules.policies import budget as policy_budget
from webhook.rules.policies import cluster_setting as policy_cluster_setting
from webhook.rules.policies import dead_post_copy as policy_dead_post_copy
from webhook.rules.policies import downtime_gate as policy_downtime_gate
from webhook.rules.policies import for_every_vmi as policy_for_every_vmi
from webhook.rules.policies import matches_nothing as policy_matches_nothing
from webhook.rules.policies import never_gives_up as policy_never_gives_up
from webhook.rules.policies import post_copy as policy_post_copy
from webhook.rules.policies import setting as policy_setting
from webhook.rules.policies import tied as policy_tied
from webhook.rules.policies import too_new as policy_too_new
from webhook.rules.policies import tuning_conflict as policy_tuning_conflict
from webhook.rules.policies import unknown as policy_unknown
from webhook.rules.policies import without_selectors as policy_without_selectors
from webhook.rules.rule import Rule
from webhook.rules.settings import bandwidth_decimal as settings_bandwidth_decimal
from webhook.rules.settings import bandwidth_quantity as settings_bandwidth_quantity
from webhook.rules.settings import bandwidth_raised as settings_bandwidth_raised
from webhook.rules.settings import bandwidth_unit as settings_bandwidth_unit
from webhook.rules.settings import budget as settings_budget
from webhook.rules.settings import configuration_ignored as settings_configuration_ignored
from webhook.rules.settings import dead_post_copy as settings_dead_post_copy
from webhook.rules.settings import downtime_gate as settings_downtime_gate
from webhook.rules.settings import drain_bridge as settings_drain_bridge
from webhook.rules.settings import drain_taint_key as settings_drain_taint_key
from webhook.rules.settings import eviction_strategy as settings_eviction_strategy
from webhook.rules.settings import gate_gone as settings_gate_gone
from webhook.rules.settings import gate_needless as settings_gate_needless
from webhook.rules.settings import gate_unknown as settings_gate_unknown
from webhook.rules.settings import live_update as settings_live_update
from webhook.rules.settings import misplaced as settings_misplaced
from webhook.rules.settings import negative_timeout as settings_negative_timeout
from webhook.rules.settings import never_gives_up as settings_never_gives_up
from webhook.rules.settings import nothing_starts as settings_nothing_starts
from webhook.rules.settings import outbound as settings_outbound
from webhook.rules.settings import post_copy as settings_post_copy
from webhook.rules.settings import progress_above_budget as settings_progress_above_budget
from webhook.rules.settings import range as settings_range
from webhook.rules.settings import tls_disabled as settings_tls_disabled
from webhook.rules.settings import too_new as settings_too_new
from webhook.rules.settings import type as settings_type
from webhook.rules.settings import unknown as settings_unknown
from webhook.rules.settings import unknown_update_method as settings_unknown_update_method
from webhook.rules.settings import unknown_word as settings_unknown_word
from webhook.rules.settings import unsafe_override as settings_unsafe_override
from webhook.rules.settings import update_bridge as settings_update_bridge
from webhook.rules.settings import vgpu_gate as settings_vgpu_gate

SETTINGS_RULES: tuple[Rule, ...] = (
    settings_type.RULE,
    settings_unknown.RULE,
    settings_too_new.RULE,
    settings_misplaced.RULE,
    settings_bandwidth_quantity.RULE,
    settings_bandwidth_raised.RULE,
    settings_bandwidth_unit.RULE,
    settings_bandwidth_decimal.RULE,
    settings_nothing_starts.RULE,
    settings_range.RULE,
    settings_downtime_gate.RULE,
    settings_outbound.RULE,
    settings_never_gives_up.RULE,
    settings_negative_timeout.RULE,
    settings_budget.RULE,
    settings_progress_above_budget.RULE,
    settings_dead_post_copy.RULE,
    settings_tls_disabled.RULE,
    settings_unsafe_override.RULE,
    settings_post_copy.RULE,
    settings_gate_unknown.RULE,
    settings_gate_gone.RULE,
    settings_gate_needless.RULE,
    settings_drain_bridge.RULE,
    settings_eviction_strategy.RULE,
    settings_update_bridge.RULE,
    settings_live_update.RULE,
    settings_configuration_ignored.RULE,
    settings_unknown_update_method.RULE,
    settings_drain_taint_key.RULE,
    settings_vgpu_gate.RULE,
    settings_unknown_word.RULE,
)
POLICY_RULES: tuple[Rule, ...] = (
    policy_setting.RULE,
    policy_cluster_setting.RULE,
    policy_too_new.RULE,
    policy_without_selectors.RULE,
    policy_for_every_vmi.RULE,
    policy_tied.RULE,
    policy_budget.RULE,
    policy_dead_post_copy.RULE,
    policy_bandwidth_unit.RULE,
    policy_never_gives_up.RULE,
    policy_post_copy.RULE,
    policy_matches_nothing.RULE,
    policy_downtime_gate.RULE,
    policy_unknown.RULE,
    policy_tuning_conflict.RULE,
)
NETWORK_RULES: tuple[Rule, ...] = (
    network_config.RULE,
    network_malformed.RULE,
    network_name.RULE,
    network_cni_version.RULE,
    network_plugin_setting.RULE,
    network_range.RULE,
    network_doubtful_range.RULE,
    network_cut_off.RULE,
    network_one_node.RULE,
    network_master.RULE,
    network_unaddressed.RULE,
    network_repeated_addresses.RULE,
    network_range_size.RULE,
    network_overlap.RULE,
    network_hides_apiserver.RULE,
    network_hides_cluster.RULE,
)
MIGRATION_NETWORK_RULES: tuple[Rule, ...] = (
    network_use_name.RULE,
    network_use_absent.RULE,
    network_use_namespace.RULE,
    network_use_unfit.RULE,
)
VM_CHANGE_RULES: tuple[Rule, ...] = (change_waits.RULE,)
NETWORK_CHANGE_RULES: tuple[Rule, ...] = (network_changed.RULE,)
MIGRATION_NETWORK_CHANGE_RULES: tuple[Rule, ...] = (network_use_restart.RULE,)
