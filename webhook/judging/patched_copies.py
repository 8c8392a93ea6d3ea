"""
Judges the VM that a VirtualMachineClone makes: its source VM with the patches of the clone. This module does no I/O.

Source: ``pkg/storage/snapshot/restore.go`` patchVM, v1.9.0. The claims of the copy have other names, but the access modes of the
source's claims.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from webhook.facts.manifest import PatchedProblem
from webhook.facts.unknown import Fact, Unknown
from webhook.judging.finding import Finding, Judgement
from webhook.kubevirt.hyperconverged.json_patch import CannotApply, apply_each
from webhook.objects.json_depth import decode
from webhook.objects.kinds import KUBEVIRT_GROUP, PATCHED_COPY_BY_GROUP_KIND
from webhook.objects.meta import Json, Kubernetes
from webhook.objects.path import FieldPath
from webhook.objects.vm import VirtualMachine
from webhook.rules.rule import Basis

CLONE: Final = "VirtualMachineClone"
_PARTS: Final = ("/spec/", "/metadata/labels", "/metadata/annotations")
_SETTLE: Final = "judge the patched VM in a file of its own"
_decoder: Final = msgspec.json.Decoder()


def source_of(api_version: str, kind: str, spec: Json) -> str:
    """The name of the VM that a clone with patches copies, or an empty text. The source of a restore is a snapshot."""
    group = api_version.rpartition("/")[0]
    if kind != CLONE or (group, kind) not in PATCHED_COPY_BY_GROUP_KIND or not isinstance(spec, dict):
        return ""
    source = spec.get("source")
    if not isinstance(source, dict) or source.get("kind") != "VirtualMachine" or not spec.get("patches"):
        return ""
    name = source.get("name")
    return name if source.get("apiGroup") in (KUBEVIRT_GROUP, None) and isinstance(name, str) else ""


def problems_of_copy(
    source: VirtualMachine, patches: Sequence[Json], judge: Callable[[Kubernetes], Judgement]
) -> Fact[tuple[PatchedProblem, ...]]:
    """
    The violations of the patched VM that its source does not have: those for which KubeVirt refuses a live migration, and
    those on the fixed list. The result is unknown if a patch cannot be applied.
    """
    try:
        raw, changed = apply_each(_operations(patches), _without_nulls(msgspec.to_builtins(source)), _PARTS, "the VM")
        copy = msgspec.convert(raw, VirtualMachine)
    except CannotApply as problem:
        return Unknown(f"the patches cannot be applied: {problem}", _SETTLE)
    except msgspec.ValidationError:
        return Unknown("the patches set a value of a wrong type", _SETTLE)
    known = {finding.identity for finding in judge(source).findings if not finding.undetermined}
    return tuple(_problems(judge(copy).findings, known, changed))


def _operations(patches: Sequence[Json]) -> list[Json]:
    try:
        return [decode(_decoder, patch.encode()) if isinstance(patch, str) else None for patch in patches]
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise CannotApply("a patch is not JSON") from None


def _problems(
    findings: Sequence[Finding], known: set[tuple[str, str]], changed: Sequence[FieldPath]
) -> Iterator[PatchedProblem]:
    for finding in findings:
        if finding.undetermined or finding.basis is Basis.ADVICE or finding.identity in known:
            continue
        index = next((at for at, path in enumerate(changed) if _overlap(path, finding.path)), None)
        yield PatchedProblem(index, finding.message, finding.remedy, ":".join(finding.identity))


def _overlap(one: FieldPath, other: FieldPath) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def _without_nulls(value: Json) -> Json:
    """The fields that are set, because a patch treats a field that is null as present."""
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    return [_without_nulls(inner) for inner in value] if isinstance(value, list) else value
