"""The facts about the migration settings of the KubeVirt CR."""

import msgspec

from webhook.objects.meta import Json
from webhook.objects.path import FieldPath

MIGRATIONS: FieldPath = ("spec", "configuration", "migrations")


class SettingsFacts(msgspec.Struct, frozen=True):
    """One KubeVirt CR. A cluster has one KubeVirt CR."""

    releases: int
    namespace: str
    """The namespace of the CR, in which Multus looks up the migration network."""
    migrations: Json
    """The value of ``spec.configuration.migrations`` as written, of any type, or None if the field is absent or null."""
    misplaced: tuple[tuple[FieldPath, str], ...]
    """Settings at paths that KubeVirt does not read, each with its correct path."""
    eviction_strategy: str | None
    default_network_interface: str
    """The default interface binding. If the CR does not set it, this is ``bridge``, KubeVirt's default in all releases."""
    feature_gates: tuple[str, ...]
    disabled_feature_gates: tuple[str, ...]
    vm_rollout_strategy: str | None
    workload_update_methods: tuple[str, ...]
