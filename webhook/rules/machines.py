"""Registers the rules that most runs need: the rules about VMs and the rules about manifests of known kinds."""

from typing import Final

from webhook.facts.drain import DrainFeature
from webhook.facts.features import Feature
from webhook.facts.manifest import ManifestFeature
from webhook.rules.chosen import ChosenRules

VMI_RULES: Final = ChosenRules(
    {
        "network.bridge_on_pod_network": Feature.OTHER_BINDING,
        "network.pod_network_binding": Feature.OTHER_BINDING,
        "network.migration_ports_listed": Feature.PORTS,
        "network.pod_network_without_interface": Feature.POD_NETWORK_ALONE,
        "network.bridge_annotation_misplaced": Feature.OUTER_ANNOTATIONS,
        "network.bridge_annotation_misspelt": Feature.ANNOTATIONS | Feature.OUTER_ANNOTATIONS,
        "network.static_address": Feature.ANNOTATIONS,
        "storage.claim_not_shared": Feature.UNSHARED_CLAIMS,
        "storage.host_disk_not_shared": Feature.HOST_DISKS,
        "storage.filesystems": Feature.FILESYSTEMS,
        "storage.state_claim_not_shared": Feature.STATE_CLAIM,
        "storage.ephemeral_over_single_node_claim": Feature.OVERLAID_CLAIMS,
        "storage.utility_volumes": Feature.UTILITY_VOLUMES,
        "storage.disk_cache": Feature.DISK_CACHE,
        "storage.duplicate_template": Feature.TEMPLATES,
        "storage.template_not_shared": Feature.TEMPLATES,
        "devices.host_devices": Feature.HOST_DEVICES,
        "devices.gpus": Feature.GPUS,
        "devices.persistent_reservation": Feature.LUNS,
        "cpu.host_model_unknown": Feature.HOST_MODEL,
        "cpu.memory_encryption": Feature.LAUNCH_SECURITY,
        "cpu.memory_encryption_tdx": Feature.LAUNCH_SECURITY,
        "cpu.secure_execution": Feature.LAUNCH_SECURITY,
        "cpu.no_tsc_frequency": Feature.REENLIGHTENMENT,
        "cpu.hyperv_passthrough": Feature.HYPERV_PASSTHROUGH,
        "cpu.dedicated_emulator_thread": Feature.ISOLATED_EMULATOR_THREAD,
        "cpu.preferred_features_without_cpu": Feature.CRASHING_PREFERENCE,
        "eviction.unresolved_reference": Feature.HIDDEN,
        "eviction.conflicting_instancetype": Feature.CONFLICTS,
    }
)
DRAIN_RULES: Final = ChosenRules(
    {
        "eviction.drain_blocked": DrainFeature.REFUSED,
        "eviction.unknown_eviction_strategy": DrainFeature.OTHER_STRATEGY,
        "eviction.external_eviction": DrainFeature.OTHER_STRATEGY,
        "eviction.drain_stops": DrainFeature.REFUSED,
    }
)
MANIFEST_RULES: Final = ChosenRules(
    {
        "manifest.unknown_field": ManifestFeature.UNKNOWN_FIELDS,
        "manifest.unknown_value": ManifestFeature.UNKNOWN_VALUES,
        "manifest.unserved_version": Feature.ANY,
        "manifest.unreadable_quantity": ManifestFeature.INVALID_QUANTITIES,
        "manifest.refused_name": Feature.ANY,
        "manifest.refused_spec": Feature.ANY,
        "manifest.field_too_new": Feature.ANY,
    }
)
