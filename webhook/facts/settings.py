"""The facts about the migration settings of the KubeVirt CR."""

import msgspec

from webhook.objects.meta import Json
from webhook.objects.path import FieldPath

MIGRATIONS: FieldPath = ("spec", "configuration", "migrations")


class SettingsFacts(msgspec.Struct, frozen=True):
    """One KubeVirt CR. A cluster has one."""

    releases: int
    namespace: str
    """The namespace of the CR. Multus looks up the migration network there."""
    migrations: Json
    """``spec.configuration.migrations`` as written, of any type; None if absent or null."""
    misplaced: tuple[tuple[FieldPath, str], ...]
    """Settings at paths that KubeVirt does not read, each with its correct path."""
    eviction_strategy: str | None
    default_network_interface: str
    """``bridge``, KubeVirt's default in all releases, if the CR does not set it."""
    feature_gates: tuple[str, ...]
    disabled_feature_gates: tuple[str, ...]
    vm_rollout_strategy: str | None
    workload_update_methods: tuple[str, ...]
