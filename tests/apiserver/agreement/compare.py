"""Compares the answers about one cluster. The differences by design are listed here, and nowhere else."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tests.apiserver.agreement.answers import Admitted, Answer, Answers, Asked, Key
from tests.apiserver.agreement.objects import fill
from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.serving import install_hooks, serving
from tests.generating import Manifest

STATUS_COUNTS = "instancetypeRef"
"""
The status of a VirtualMachine that exists is judged, and that of an object that is created is not. So a VirtualMachine whose
status names the revision of its instancetype is not compared with admission.
"""
OWNED = "VirtualMachineInstance"
"""
``audit`` reports a VirtualMachine and its VMI as one object, unless their verdicts differ. ``check`` reports both. So the answer
of ``check`` about such a VMI is compared with the answer of ``audit`` about the VirtualMachine: the verdict must be the same.
"""
UNPROVEN = "unproven"
"""
An object that is not in the input of ``check`` may exist, and an object that ``audit`` did not list does not exist. So the texts
about unknown facts, and assumptions about objects that were not provided, differ. The verdict is the same, and so are rule, path
and action of each finding.
"""
NOT_READ = "ControllerRevisions have not been read yet"
"""The dry-run API does not read ControllerRevisions. Objects that depend on one are unproven there, and are not compared."""

OF_SIZES = frozenset(("LM517", "LM518"))
"""
Rules about quotas and the size of nodes. ``audit`` and ``check`` read both. The server reads only the metadata of nodes and no
quotas, so admission and the dry-run API do not have these warnings.
"""


class Difference(msgspec.Struct, frozen=True):
    """Two surfaces that disagree about an object."""

    surface: str
    """The surface that disagrees with ``audit``."""
    kind: str
    namespace: str
    name: str
    audit: Any
    other: Any


class Comparison(msgspec.Struct, frozen=True):
    """The result."""

    objects: int
    compared: dict[str, int]
    """The number of objects that were compared with audit, by surface."""
    denied: int
    """The number of objects that admission denies."""
    differences: list[Difference]


def compare(plane: ControlPlane, folder: Path, count: int, seed: int) -> Comparison:
    """Fills a control plane, and asks all surfaces about its objects."""
    sent = fill(plane, count, seed)
    with serving(plane, folder / "serve") as server:
        asked = Asked(plane, server, folder)
        stored = asked.stored(sent)
        audit, check = asked.audit(), asked.check()
        api = {key: answer for key, answer in asked.api(stored).items() if NOT_READ not in str(answer)}
        install_hooks(plane, server, timeout_seconds=30)
        fresh = [one for one, live in zip(sent, stored, strict=True) if not _has_status(live)]
        admitted = {_key(manifest): asked.admission(manifest) for manifest in fresh}
    texts = {key: _without_unknowns(answer) for key, answer in audit.items()}
    differences = [*_differing("check", texts, {key: _without_unknowns(answer) for key, answer in check.items()})]
    differences += _differing("api", {key: _without_sizes(answer) for key, answer in audit.items()}, api)
    differences += _admitted_differently(audit, admitted)
    compared = {"check": len(check), "api": len(api), "admission": len(admitted)}
    denied = sum(one.fields is not None for one in admitted.values())
    return Comparison(len(audit), compared, denied, differences)


def _differing(surface: str, audit: Answers, other: Answers) -> Iterator[Difference]:
    for key, answer in other.items():
        known = audit.get(key)
        owner = audit.get(("VirtualMachine", *key[1:]))
        if known is None and key[0] == OWNED and owner is not None and _condition(owner) == _condition(answer):
            continue
        if known != answer:
            yield Difference(surface, *key, *_parts(known, answer))


def _condition(answer: Answer) -> object:
    verdict = answer.verdict
    return verdict and (verdict.live_migratable, verdict.reason, verdict.storage_live_migratable)


def _without_unknowns(answer: Answer) -> Answer:
    """The answer without the texts about unknown facts."""
    verdict = answer.verdict
    if verdict is not None:
        assumptions = [one for one in verdict.assumptions if "which was not provided" not in one]
        unproven = [UNPROVEN] if verdict.unproven else []
        verdict = msgspec.structs.replace(verdict, unproven=unproven, assumptions=assumptions)
    findings = (
        msgspec.structs.replace(finding, message=UNPROVEN, remedy=UNPROVEN)
        if finding.outcome != "violation"
        else finding
        for finding in answer.findings
    )
    return Answer(verdict, tuple(findings))


def _without_sizes(answer: Answer) -> Answer:
    return Answer(answer.verdict, tuple(one for one in answer.findings if one.rule not in OF_SIZES))


def _parts(first: Answer | None, second: Answer) -> Sequence[Any]:
    """The parts of two answers that differ."""
    if first is None or first.verdict != second.verdict:
        return msgspec.to_builtins((first and first.verdict, second.verdict))
    return msgspec.to_builtins(
        (
            [one for one in first.findings if one not in second.findings],
            [one for one in second.findings if one not in first.findings],
        )
    )


def _admitted_differently(audit: Answers, admitted: dict[Key, Admitted]) -> Iterator[Difference]:
    """Admission must deny an object if, and only if, audit has a finding with action deny, and name the same fields."""
    for key, admission in admitted.items():
        denied = [finding.path for finding in audit[key].findings if finding.action == "deny"]
        fields = None if not denied else tuple(denied[:10])
        seen = admission.fields and admission.fields[:10]
        if fields != seen:
            yield Difference("admission", *key, fields, seen)


def _key(manifest: Manifest) -> Key:
    metadata = manifest["metadata"]
    return manifest["kind"], metadata["namespace"], metadata["name"]


def _has_status(stored: Manifest) -> bool:
    return STATUS_COUNTS in stored.get("status", {})
