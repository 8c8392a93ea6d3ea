"""
``spec.configuration.migrations`` of the KubeVirt CR: the settings, their first releases and their defaults.

Sources, v1.9.0: ``MigrationConfiguration`` of ``staging/src/kubevirt.io/api/core/v1/types.go``, defaults of
``pkg/virt-config/virt-config.go`` and ``pkg/virt-config/configuration.go``.
"""

from collections.abc import Mapping
from enum import StrEnum

import msgspec
from msgspec.structs import fields

from webhook.facts.settings import SettingsFacts
from webhook.kubevirt.cluster import invalid_values
from webhook.kubevirt.releases import KNOWN, Behaviour, Release, Releases, behaviours, only, since
from webhook.kubevirt.settings.words import unknown_words
from webhook.objects.kubevirt import Configuration, KubeVirt, KubeVirtSpec, Misplaced
from webhook.objects.meta import Json
from webhook.objects.quantity import Quantity, parse_quantity


class Type(StrEnum):
    """The types of settings. The value of each member is its text in messages."""

    BOOLEAN = "true or false"
    TEXT = "text"
    UINT32 = "a whole number from 0 to 4294967295"
    INT64 = "a whole number of seconds"
    UINT64 = "a whole number of milliseconds"
    QUANTITY = "a quantity such as 64Mi"


class Setting(msgspec.Struct, frozen=True):
    """One field of ``migrations``."""

    name: str
    type: Type
    releases: Releases = KNOWN
    """The releases that have the setting."""
    policy: bool = False
    """Whether a MigrationPolicy can have the setting too."""


ALLOW_AUTO_CONVERGE = "allowAutoConverge"
ALLOW_POST_COPY = "allowPostCopy"
ALLOW_WORKLOAD_DISRUPTION = "allowWorkloadDisruption"
BANDWIDTH = "bandwidthPerMigration"
COMPLETION_TIMEOUT = "completionTimeoutPerGiB"
DISABLE_TLS = "disableTLS"
MAX_DOWNTIME = "maxDowntimeMs"
NETWORK = "network"
NODE_DRAIN_TAINT_KEY = "nodeDrainTaintKey"
PARALLEL_CLUSTER = "parallelMigrationsPerCluster"
PARALLEL_OUTBOUND = "parallelOutboundMigrationsPerNode"
PROGRESS_TIMEOUT = "progressTimeout"
SELINUX_LEVEL = "matchSELinuxLevelOnMigration"
UNSAFE_OVERRIDE = "unsafeMigrationOverride"
UTILITY_VOLUMES_TIMEOUT = "utilityVolumesTimeout"

DISRUPTION_SINCE = since(Release(1, 5))
STALL_DETECTION_SINCE = since(Release(1, 9))
DOWNTIME_TUNING_SINCE = since(Release(1, 10))

SETTINGS: Mapping[str, Setting] = {
    setting.name: setting
    for setting in (
        Setting(NODE_DRAIN_TAINT_KEY, Type.TEXT),
        Setting(PARALLEL_OUTBOUND, Type.UINT32),
        Setting(PARALLEL_CLUSTER, Type.UINT32),
        Setting(ALLOW_AUTO_CONVERGE, Type.BOOLEAN, policy=True),
        Setting(BANDWIDTH, Type.QUANTITY, policy=True),
        Setting(COMPLETION_TIMEOUT, Type.INT64, policy=True),
        Setting(PROGRESS_TIMEOUT, Type.INT64),
        Setting(UNSAFE_OVERRIDE, Type.BOOLEAN),
        Setting(ALLOW_POST_COPY, Type.BOOLEAN, policy=True),
        Setting(ALLOW_WORKLOAD_DISRUPTION, Type.BOOLEAN, DISRUPTION_SINCE, policy=True),
        Setting(DISABLE_TLS, Type.BOOLEAN),
        Setting(NETWORK, Type.TEXT),
        Setting(SELINUX_LEVEL, Type.BOOLEAN),
        Setting(UTILITY_VOLUMES_TIMEOUT, Type.INT64, since(Release(1, 8))),
        Setting(MAX_DOWNTIME, Type.UINT64, STALL_DETECTION_SINCE, policy=True),
    )
}


def built_in(behaviour: Behaviour) -> dict[str, Json]:
    """
    The defaults of a release, except for settings without a default value.

    The result does not contain ``allowWorkloadDisruption``, because its default is the value of ``allowPostCopy``.
    """
    values: dict[str, Json] = {
        NODE_DRAIN_TAINT_KEY: "kubevirt.io/drain",
        PARALLEL_OUTBOUND: 2,
        PARALLEL_CLUSTER: 5,
        ALLOW_AUTO_CONVERGE: False,
        BANDWIDTH: "0Mi",
        COMPLETION_TIMEOUT: behaviour.completion_timeout_per_gib,
        PROGRESS_TIMEOUT: 150,
        UNSAFE_OVERRIDE: False,
        ALLOW_POST_COPY: False,
        UTILITY_VOLUMES_TIMEOUT: 150,
        MAX_DOWNTIME: 900,
    }
    release = only(behaviour.release)
    return {name: value for name, value in values.items() if SETTINGS[name].releases & release}


def well_typed(setting: Setting, value: Json) -> bool:
    """Whether a value has the setting's JSON type. This function does not check ranges and the syntax of quantities."""
    match setting.type:
        case Type.BOOLEAN:
            return isinstance(value, bool)
        case Type.TEXT:
            return isinstance(value, str)
        case Type.QUANTITY:
            return isinstance(value, str | int) and not isinstance(value, bool)
        case _:
            return isinstance(value, int) and not isinstance(value, bool)


def written(migrations: Json) -> dict[str, Json]:
    """The written settings that have the correct type. As in KubeVirt, ``null`` means the default."""
    if not isinstance(migrations, dict):
        return {}
    return {name: value for name, value in migrations.items() if name in SETTINGS and well_typed(SETTINGS[name], value)}


def bandwidth_of(values: Mapping[str, Json]) -> Quantity | None:
    """The bandwidth, or None if the bandwidth is missing or not a quantity."""
    return parse_quantity(values.get(BANDWIDTH))


def in_force(migrations: Json, behaviour: Behaviour) -> dict[str, Json]:
    """The defaults of the release, overridden by the written settings that the release has."""
    release = only(behaviour.release)
    values = built_in(behaviour)
    values.update({name: value for name, value in written(migrations).items() if SETTINGS[name].releases & release})
    if SETTINGS[ALLOW_WORKLOAD_DISRUPTION].releases & release:
        values.setdefault(ALLOW_WORKLOAD_DISRUPTION, values[ALLOW_POST_COPY])
    return values


def same_in_all(releases: Releases) -> dict[str, Json]:
    """The defaults that are the same in all ``releases``."""
    tables = [built_in(behaviour) for behaviour in behaviours(releases)]
    return {name: value for name, value in tables[0].items() if all(table.get(name) == value for table in tables)}


def settings_facts(cr: KubeVirt, releases: Releases) -> SettingsFacts:
    """The facts about a KubeVirt CR."""
    configuration = cr.spec.configuration or Configuration()
    developer, network = configuration.developer_configuration, configuration.network
    strategy, devices = cr.spec.workload_update_strategy, configuration.permitted_host_devices
    return SettingsFacts(
        releases=releases,
        namespace=cr.namespace,
        migrations=configuration.migrations,
        misplaced=tuple(_misplaced(cr)),
        eviction_strategy=configuration.eviction_strategy,
        default_network_interface=(network.default_network_interface if network is not None else None) or "bridge",
        feature_gates=tuple((developer.feature_gates if developer is not None else None) or ()),
        disabled_feature_gates=tuple((developer.disabled_feature_gates if developer is not None else None) or ()),
        vm_rollout_strategy=configuration.vm_rollout_strategy,
        workload_update_methods=tuple((strategy.workload_update_methods if strategy is not None else None) or ()),
        invalid=tuple(invalid_values(configuration)),
        mediated_devices=tuple(
            device.resource_name for device in (devices.mediated_devices if devices is not None else None) or ()
        ),
        unknown_words=tuple(unknown_words(cr)),
    )


_SECTIONS = ("migrations", "migration", "migrationConfiguration", "migrationConfig", "liveMigrationConfig")
_GATES = "featureGates"


def _misplaced(cr: KubeVirt) -> list[tuple[tuple[str, ...], str]]:
    """The paths of misplaced settings, each with the correct path."""
    misplaced: list[tuple[tuple[str, ...], str]] = []
    for base, part in (((), cr), (("spec",), cr.spec), (("spec", "configuration"), cr.spec.configuration)):
        for name, field in _wrong_here(part).items():
            if getattr(part, field) is not None:
                misplaced.append(((*base, name), _right_place(name)))
    return misplaced


def _wrong_here(part: KubeVirt | KubeVirtSpec | Configuration | None) -> dict[str, str]:
    """The fields that are misplaced in this part of the CR, as a map from JSON name to attribute."""
    if isinstance(part, KubeVirt):
        return {"configuration": "configuration", "migrations": "migrations"}
    if part is None:
        return {}
    names = {field.encode_name: field.name for field in fields(Misplaced)}
    if isinstance(part, Configuration):
        del names["migrations"]
    return names


def _right_place(name: str) -> str:
    if name == "configuration":
        return "spec.configuration"
    if name == _GATES:
        return "spec.configuration.developerConfiguration.featureGates"
    return "spec.configuration.migrations" + ("" if name in _SECTIONS else f".{name}")
