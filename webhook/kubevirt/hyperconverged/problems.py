"""
Settings of a HyperConverged CR that have no effect: unknown names, misplaced fields and unknown feature gates.

The rules with the same ids check the KubeVirt CR. This module uses the field names and paths of HyperConverged.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec
from msgspec.structs import fields

from webhook.kubevirt.hyperconverged.releases import HYPER_CONVERGED_GATES, LAST_WITH_OLD_DEFAULTS
from webhook.kubevirt.releases import KNOWN, Release, Releases, since
from webhook.kubevirt.schema.spelling import close_matches
from webhook.kubevirt.settings.hyper_converged import JSON_PATCH, LIVE_MIGRATION
from webhook.kubevirt.settings.settings import ALLOW_WORKLOAD_DISRUPTION, SETTINGS
from webhook.objects.hyper_converged import HyperConverged, HyperConvergedSpec, Virtualization
from webhook.objects.kubevirt import Misplaced
from webhook.objects.meta import Json
from webhook.objects.path import FieldPath, dotted
from webhook.objects.shown import shown

UNKNOWN_SETTING, TOO_NEW, MISPLACED, UNKNOWN_GATE = "LM602", "LM603", "LM604", "LM621"
_V1BETA1: Final[FieldPath] = ("spec", "liveMigrationConfig")
_V1: Final[FieldPath] = ("spec", "virtualization", "liveMigrationConfig")
_WITH_DISRUPTION: Final = since(Release(1, LAST_WITH_OLD_DEFAULTS.minor + 1))
_OWN: Final = ("live_migration_config", "feature_gates")


class Problem(msgspec.Struct, frozen=True):
    """A violation of the rule with this id."""

    rule: str
    path: FieldPath
    message: str
    subject: str
    remedy: str
    releases: Releases = KNOWN


def migrations_path(hyper_converged: HyperConverged) -> FieldPath:
    """The path of ``liveMigrationConfig`` in the object's API version."""
    return _V1 if hyper_converged.is_v1 else _V1BETA1


def problems_of(hyper_converged: HyperConverged, releases: Releases) -> Iterator[Problem]:
    """All settings in an object that have no effect."""
    yield from _settings(hyper_converged, releases)
    yield from _misplaced(hyper_converged)
    yield from _gates(hyper_converged)


def _settings(judged: HyperConverged, releases: Releases) -> Iterator[Problem]:
    spec, base = judged.spec, migrations_path(judged)
    virtual = spec.virtualization
    written = spec.live_migration_config
    if judged.is_v1:
        written = virtual.live_migration_config if virtual is not None else None
    if not isinstance(written, dict):
        return
    lower = {name.lower(): name for name in LIVE_MIGRATION}
    for name, value in written.items():
        subject = f"{name} {shown(value)}"
        if name in SETTINGS and name not in LIVE_MIGRATION:
            message = f"liveMigrationConfig has no field {name}, so HyperConverged ignores it"
            yield Problem(UNKNOWN_SETTING, (*base, name), message, subject, f"Use annotation {JSON_PATCH}.")
        elif name not in LIVE_MIGRATION:
            close = close_matches(name.lower(), lower)
            message = f"liveMigrationConfig has no field {shown(name)}, so HyperConverged ignores it"
            remedy = f"Did you mean {lower[close[0]]}?" if close else ""
            yield Problem(UNKNOWN_SETTING, (*base, name), message, subject, remedy)
        elif name == ALLOW_WORKLOAD_DISRUPTION and releases & ~_WITH_DISRUPTION:
            message = f"{name} does not exist in HyperConverged 1.18 and earlier, which ignore it"
            yield Problem(TOO_NEW, (*base, name), message, subject, "", KNOWN & ~_WITH_DISRUPTION)


def _misplaced(judged: HyperConverged) -> Iterator[Problem]:
    spec, virtual = judged.spec, judged.spec.virtualization
    for path, right in _wrong_places(judged.is_v1, spec, virtual):
        message = f"HyperConverged does not read {dotted(path)}, so this field has no effect"
        yield Problem(MISPLACED, path, message, dotted(path), f"Move the field to {right}.")


def _wrong_places(
    is_v1: bool, spec: HyperConvergedSpec, virtual: Virtualization | None
) -> Iterator[tuple[FieldPath, str]]:
    right = dotted(_V1 if is_v1 else _V1BETA1)
    names = {field.encode_name: field.name for field in fields(Misplaced) if field.name not in _OWN}
    if isinstance(spec.configuration, dict) and spec.configuration.get("migrations") is not None:
        yield ("spec", "configuration", "migrations"), right
    if is_v1 and spec.live_migration_config is not None:
        yield _V1BETA1, right
    if not is_v1 and virtual is not None and virtual.live_migration_config is not None:
        yield _V1, right
    if virtual is not None and virtual.feature_gates is not None:
        yield ("spec", "virtualization", "featureGates"), "spec.featureGates"
    for part, base in ((spec, ("spec",)), (virtual, ("spec", "virtualization"))):
        for name, field in names.items():
            if part is not None and getattr(part, field) is not None:
                whole = name.startswith("migration")
                yield (*base, name), right if whole else f"{right}.{name}"


def _gates(judged: HyperConverged) -> Iterator[Problem]:
    """Gates of version v1 that do not exist. In version v1beta1, the gates are fields, which rule LM803 checks."""
    gates = judged.spec.feature_gates
    known: Mapping[str, str] = {name.lower(): name for name in HYPER_CONVERGED_GATES}
    for index, entry in enumerate(gates if isinstance(gates, list) else ()):
        name: Json = entry.get("name") if isinstance(entry, dict) else None
        if not isinstance(name, str) or name.lower() in known:
            continue
        close = close_matches(name.lower(), known, cutoff=0.8)
        if close:
            message = f"feature gate {shown(name)} is misspelt"
            remedy = f"Did you mean {known[close[0]]}?"
            yield Problem(UNKNOWN_GATE, ("spec", "featureGates", index, "name"), message, f"gate {shown(name)}", remedy)


_WORDS: Final = (
    ("developerConfiguration.featureGates", f"featureGates of the KubeVirt CR with annotation {JSON_PATCH}"),
    ("spec.configuration.network.defaultNetworkInterface", f"defaultNetworkInterface with annotation {JSON_PATCH}"),
    (", or set vmRolloutStrategy to Stage", ""),
)
_IN_V1: Final = (
    ("spec.configuration.migrations", dotted(_V1)),
    ("spec.workloadUpdateStrategy", "spec.virtualization.workloadUpdateStrategy"),
    ("spec.configuration.evictionStrategy", "spec.virtualization.evictionStrategy"),
)
_IN_V1BETA1: Final = (
    ("spec.configuration.migrations", dotted(_V1BETA1)),
    ("spec.configuration.evictionStrategy", "spec.evictionStrategy"),
)


def reworded(text: str, judged: HyperConverged) -> str:
    """A message or remedy for the KubeVirt CR, rewritten with HyperConverged's field names."""
    for old, new in (*_WORDS, *(_IN_V1 if judged.is_v1 else _IN_V1BETA1)):
        text = text.replace(old, new)
    return text
