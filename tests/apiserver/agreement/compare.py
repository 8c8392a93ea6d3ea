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

STATUS_COUNTS = "VirtualMachine"
"""
The status of a VirtualMachine that exists is judged, such as its instancetype revision. The status of an object that is created is
not. So a VirtualMachine with a status is not compared with admission.
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
    sent = fill(plane.client, count, seed)
    with serving(plane, folder / "serve") as server:
        asked = Asked(plane, server, folder)
        stored = asked.stored(sent)
        audit, check, api = asked.audit(), asked.check(), asked.api(stored)
        install_hooks(plane, server, timeout_seconds=30)
        fresh = [one for one, live in zip(sent, stored, strict=True) if not _has_status(live)]
        admitted = {_key(manifest): asked.admission(manifest) for manifest in fresh}
    differences = [*_differing("check", audit, check), *_differing("api", audit, api)]
    differences += _admitted_differently(audit, admitted)
    compared = {"check": len(check), "api": len(api), "admission": len(admitted)}
    denied = sum(one.fields is not None for one in admitted.values())
    return Comparison(len(audit), compared, denied, differences)


def _differing(surface: str, audit: Answers, other: Answers) -> Iterator[Difference]:
    for key, answer in other.items():
        if (known := audit.get(key)) != answer:
            yield Difference(surface, *key, *_parts(known, answer))


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
    return stored["kind"] == STATUS_COUNTS and bool(stored.get("status"))
