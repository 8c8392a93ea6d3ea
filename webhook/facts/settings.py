"""The facts about the migration settings of the KubeVirt CR."""

import msgspec

from webhook.objects.meta import Json
from webhook.objects.path import FieldPath

MIGRATIONS: FieldPath = ("spec", "configuration", "migrations")


class InvalidValue(msgspec.Struct, frozen=True):
    """A value that makes KubeVirt ignore the whole ``spec.configuration``."""

    path: FieldPath
    """The path of the field in ``spec.configuration``."""
    value: str | int
    words: tuple[str, ...] = ()
    """The valid values, if the field is a word."""
    limit: str = ""
    """The valid numbers, if the field is a number."""


class UnknownWord(msgspec.Struct, frozen=True):
    """A word that KubeVirt does not know, in a field that neither the CRD nor a webhook checks."""

    path: FieldPath
    value: str
    words: tuple[str, ...]
    effect: str
    """The effect of the wrong word, as a clause."""


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
    """The strategy as written. If it is absent, KubeVirt's default depends on the release."""
    workload_update_methods: tuple[str, ...]
    invalid: tuple[InvalidValue, ...] = ()
    """The invalid values that make KubeVirt ignore the whole ``spec.configuration``."""
    mediated_devices: tuple[str, ...] = ()
    """The resource names in ``permittedHostDevices.mediatedDevices``."""
    unknown_words: tuple[UnknownWord, ...] = ()
