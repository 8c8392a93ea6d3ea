"""
Judges an object with placeholders, such as ``${ARCHITECTURE}`` in an OpenShift Template.

The object is judged with several values for each placeholder. A result counts only if it is the same for all values. Every
other result is undetermined, and its message names the placeholder.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

import msgspec
from msgspec.structs import replace

from webhook.fixes.fix import find
from webhook.judging.finding import Finding, Judgement
from webhook.kubevirt.releases import Releases, newest, only
from webhook.kubevirt.schema.unknown_fields import VALUES
from webhook.kubevirt.verdict import Evidence, Verdict, decide
from webhook.manifests.objects import ManifestObject
from webhook.manifests.wrapped_objects import put, without
from webhook.objects.meta import Kubernetes
from webhook.objects.path import FieldPath
from webhook.rules.rule import Basis

_MOST: Final = 32
"""Maximum number of values to try. A usual template has one to three placeholders in fields that rules check."""
_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    **{key: values for (_, key), values in VALUES.items()},
    "accessModes": ("ReadWriteMany", "ReadWriteOnce"),
    "evictionStrategy": ("LiveMigrate", "None"),
    "model": ("host-model", "host-passthrough", "Skylake-Server"),
}
_OTHER_TYPES: Final = (True, False, 1)
_NAMES: Final = frozenset(("name", "generateName", "namespace", "claimName", "storageClassName", "networkName"))
"""Fields that contain a name. The placeholder itself is used as the name, so equal placeholders are equal names."""
_OPAQUE: Final = frozenset(("deviceName",))
"""Fields whose value can change the verdict, but whose possible values are not known."""
_SETTLE: Final = "Give the parameter a value in the template, or check the processed template."

_Judge: TypeAlias = Callable[[Kubernetes], Judgement]


def judge_templated(manifest: ManifestObject, obj: Kubernetes, judge: _Judge, releases: Releases) -> Judgement:
    """The judgement of an object with placeholders, or with default values for parameters."""
    judgement = judge(obj)
    if manifest.placeholders:
        judgement = _judge_placeholders(manifest, obj, judge, judgement, releases)
    if judgement.verdict is None or not manifest.defaults:
        return judgement
    listed = ", ".join(manifest.defaults[:5]) + (", …" if len(manifest.defaults) > 5 else "")
    assumptions = (*judgement.verdict.assumptions, f"the template's parameters have their default values ({listed})")
    return replace(judgement, verdict=replace(judgement.verdict, assumptions=assumptions))


def _judge_placeholders(
    manifest: ManifestObject, obj: Kubernetes, judge: _Judge, judgement: Judgement, releases: Releases
) -> Judgement:
    others: list[tuple[str, Judgement]] = []
    opaque: dict[FieldPath, str] = {}
    for path, name in manifest.placeholders:
        key = _field(path)
        if key in _NAMES:
            continue
        variants = list(_variants(manifest, obj, path))
        if key in _OPAQUE or (not variants and find(manifest.raw, path) is None):
            opaque[path] = name
        for variant in variants:
            if variant != obj and len(others) < _MOST:
                others.append((name, judge(variant)))
    if not others and not opaque:
        return judgement
    return _agreed(judgement, others, opaque, releases)


def _field(path: FieldPath) -> str:
    return next((step for step in reversed(path) if isinstance(step, str)), "")


def _variants(manifest: ManifestObject, obj: Kubernetes, path: FieldPath) -> Iterator[Kubernetes]:
    """The object without the placeholder, and with each value that the field can have."""
    key = _field(path)
    raws = [without(manifest.raw, path)] if find(manifest.raw, path) is not None else []
    raws += [put(manifest.raw, path, value) for value in (*_WORDS.get(key, ()), *_OTHER_TYPES)]
    for raw in raws:
        try:
            variant = msgspec.convert(raw, type(obj))
        except msgspec.ValidationError:
            continue
        yield replace(variant, metadata=obj.metadata) if manifest.kind != obj.kind else variant


def _agreed(
    judgement: Judgement, others: Sequence[tuple[str, Judgement]], opaque: Mapping[FieldPath, str], releases: Releases
) -> Judgement:
    findings: dict[tuple[object, ...], Finding] = {}
    for finding in judgement.findings:
        findings.setdefault(_key(finding), finding)
    unsure: dict[tuple[object, ...], str] = {}
    for name, other in others:
        keys = {_key(finding): finding for finding in other.findings}
        for key in findings.keys() ^ keys.keys():
            findings.setdefault(key, keys.get(key) or findings[key])
            unsure.setdefault(key, name)
    for path, name in opaque.items():
        for key, finding in findings.items():
            if finding.path[: len(path)] == path or (finding.path and path[: len(finding.path)] == finding.path):
                unsure.setdefault(key, name)
    settled = [
        _undetermined(finding, unsure[key]) if key in unsure else finding
        for key, finding in findings.items()
        if key not in unsure or finding.basis is not Basis.ADVICE
    ]
    settled = list({_key(finding): finding for finding in reversed(settled)}.values())[::-1]
    return Judgement(tuple(settled), _verdict(judgement.verdict, settled, opaque, releases))


def _key(finding: Finding) -> tuple[object, ...]:
    return (*finding.identity, finding.path, finding.undetermined)


def _undetermined(finding: Finding, name: str) -> Finding:
    message = f"the template's parameter {name} has no value, so it is unknown whether {finding.rule.name} applies"
    return replace(finding, undetermined=True, message=message, remedy=_SETTLE)


def _verdict(
    verdict: Verdict | None, findings: Sequence[Finding], opaque: Mapping[FieldPath, str], releases: Releases
) -> Verdict | None:
    if verdict is None:
        return None
    behaviour = newest(releases)
    release = only(behaviour.release)
    deciding = [finding for finding in findings if finding.basis is Basis.KUBEVIRT and finding.releases & release]
    unproven = [finding.message for finding in deciding if finding.undetermined]
    if not unproven:
        unproven = [f"the template's parameter {name} has no value" for name in opaque.values()]
    evidence = Evidence(
        refusing={reason for one in deciding if (reason := one.rule.reason) is not None and not one.undetermined},
        undecided={reason for one in deciding if (reason := one.rule.reason) is not None and one.undetermined},
        host_model_differs=False,
        unproven=tuple(unproven),
        assumptions=verdict.assumptions,
    )
    return decide(behaviour, evidence, verdict.migration_method)
