"""Registers the rules that most runs need: the rules about VMs and the rules about manifests of known kinds."""

from webhook.rules.cpu import (
    dedicated_emulator_thread,
    host_model_unknown,
    hyperv_passthrough,
    memory_encryption,
    memory_encryption_tdx,
    no_tsc_frequency,
    preferred_features_without_cpu,
    secure_execution,
)
from webhook.rules.devices import gpus, host_devices, persistent_reservation
from webhook.rules.eviction import (
    conflicting_instancetype,
    drain_blocked,
    drain_stops,
    external_eviction,
    unknown_eviction_strategy,
    unresolved_reference,
)
from webhook.rules.manifest import (
    field_too_new,
    refused_name,
    refused_spec,
    unknown_field,
    unknown_value,
    unreadable_quantity,
    unserved_version,
)
from webhook.rules.network import (
    bridge_annotation_misplaced,
    bridge_annotation_misspelt,
    bridge_on_pod_network,
    migration_ports_listed,
    pod_network_binding,
    pod_network_without_interface,
    static_address,
)
from webhook.rules.rule import Rule
from webhook.rules.storage import (
    claim_not_shared,
    disk_cache,
    duplicate_template,
    ephemeral_over_single_node_claim,
    filesystems,
    host_disk_not_shared,
    state_claim_not_shared,
    template_not_shared,
    utility_volumes,
)

VMI_RULES: tuple[Rule, ...] = (
    bridge_on_pod_network.RULE,
    pod_network_binding.RULE,
    migration_ports_listed.RULE,
    pod_network_without_interface.RULE,
    bridge_annotation_misplaced.RULE,
    bridge_annotation_misspelt.RULE,
    static_address.RULE,
    claim_not_shared.RULE,
    host_disk_not_shared.RULE,
    filesystems.RULE,
    state_claim_not_shared.RULE,
    ephemeral_over_single_node_claim.RULE,
    utility_volumes.RULE,
    disk_cache.RULE,
    duplicate_template.RULE,
    template_not_shared.RULE,
    host_devices.RULE,
    gpus.RULE,
    persistent_reservation.RULE,
    host_model_unknown.RULE,
    memory_encryption.RULE,
    memory_encryption_tdx.RULE,
    secure_execution.RULE,
    no_tsc_frequency.RULE,
    hyperv_passthrough.RULE,
    dedicated_emulator_thread.RULE,
    preferred_features_without_cpu.RULE,
    unresolved_reference.RULE,
    conflicting_instancetype.RULE,
)
DRAIN_RULES: tuple[Rule, ...] = (
    drain_blocked.RULE,
    unknown_eviction_strategy.RULE,
    external_eviction.RULE,
    drain_stops.RULE,
)
MANIFEST_RULES: tuple[Rule, ...] = (
    unknown_field.RULE,
    unknown_value.RULE,
    unserved_version.RULE,
    unreadable_quantity.RULE,
    refused_name.RULE,
    refused_spec.RULE,
    field_too_new.RULE,
)
_FIELD_RULES = frozenset((unknown_field.RULE.id, unknown_value.RULE.id, unreadable_quantity.RULE.id))
OBJECT_RULES: tuple[Rule, ...] = tuple(rule for rule in MANIFEST_RULES if rule.id not in _FIELD_RULES)
"""The rules that can have a finding about an object without an unknown field, an unknown value and an invalid quantity."""
