"""What is known about the KubeVirt CR's migration settings."""

import msgspec

from webhook.objects.meta import Json
from webhook.objects.path import FieldPath

MIGRATIONS: FieldPath = ("spec", "configuration", "migrations")


class SettingsFacts(msgspec.Struct, frozen=True):
    """One KubeVirt CR; it is one per cluster."""

    releases: int
    namespace: str
    """Of the CR: where its migration network is looked up."""
    migrations: Json
    """``spec.configuration.migrations`` as written, of whatever type; None where it is absent or null."""
    misplaced: tuple[tuple[FieldPath, str], ...]
    """Settings at a place where KubeVirt does not look, and the place where each belongs."""
    eviction_strategy: str | None
    default_network_interface: str
    """KubeVirt's default, ``bridge``, where the CR names none (all releases)."""
    feature_gates: tuple[str, ...]
    disabled_feature_gates: tuple[str, ...]
    vm_rollout_strategy: str | None
    workload_update_methods: tuple[str, ...]
