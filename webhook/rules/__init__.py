"""The rules, one file each; the tuple ``RULES`` registers them and nothing else does."""

from webhook.rules import (
    bridge_annotation_misplaced,
    bridge_on_pod_network,
    claim_not_shared,
    conflicting_instancetype,
    dedicated_emulator_thread,
    drain_blocked,
    drain_stops,
    ephemeral_over_single_node_claim,
    external_eviction,
    filesystems,
    gpus,
    host_devices,
    host_disk_not_shared,
    host_model_unknown,
    hyperv_passthrough,
    manifest_kind,
    memory_encryption,
    memory_encryption_tdx,
    migration_ports_listed,
    no_tsc_frequency,
    persistent_reservation,
    pod_network_binding,
    pod_network_without_interface,
    secure_execution,
    state_claim_not_shared,
    unknown_eviction_strategy,
    unresolved_reference,
    utility_volumes,
)
from webhook.rules.rule import About, Rule

RULES: tuple[Rule, ...] = (
    bridge_on_pod_network.RULE,
    pod_network_binding.RULE,
    migration_ports_listed.RULE,
    pod_network_without_interface.RULE,
    bridge_annotation_misplaced.RULE,
    claim_not_shared.RULE,
    host_disk_not_shared.RULE,
    filesystems.RULE,
    state_claim_not_shared.RULE,
    ephemeral_over_single_node_claim.RULE,
    utility_volumes.RULE,
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
    drain_blocked.RULE,
    unknown_eviction_strategy.RULE,
    external_eviction.RULE,
    drain_stops.RULE,
    unresolved_reference.RULE,
    conflicting_instancetype.RULE,
    manifest_kind.RULE,
)

BY_ID: dict[str, Rule] = {rule.id: rule for rule in RULES}


def about(subject: About) -> tuple[Rule, ...]:
    """The rules that look at ``subject``, in order."""
    return tuple(rule for rule in RULES if rule.about is subject)
