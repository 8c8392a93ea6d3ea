"""The findings of an audit in groups: by reason, by namespace or by remedy. Exempted findings are left out."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from webhook.policy.policy import Action
from webhook.report.audited import AuditReport
from webhook.report.model import FindingReport, ObjectReport
from webhook.report.phrases import plural
from webhook.report.sentences import is_unproven, sentence

GROUPINGS: Final = ("namespace", "reason", "remedy")
CLUSTER: Final = "objects without a namespace"
_VM: Final = "VirtualMachine"
_VMI: Final = "VirtualMachineInstance"
_QUOTED: Final = re.compile(r"(?<!\w)'[^']*'")
_RANKS: Final[Mapping[str, int]] = {action: rank for rank, action in enumerate(Action)}


class Part(msgspec.Struct):
    """The findings of one rule with one outcome and one remedy, in a group."""

    finding: FindingReport
    """The first finding."""
    judged: ObjectReport
    """The object of the first finding."""
    members: dict[tuple[str, ...], ObjectReport] = msgspec.field(default_factory=dict)
    """The objects, each once. A VM and its VMI are one object."""
    remedies: set[str] = msgspec.field(default_factory=set)

    @property
    def remedy(self) -> str:
        """The remedy. If the findings have different names in it, the names of the first finding are marked as an example."""
        if len(self.remedies) < 2:
            return self.finding.remedy
        return f"{sentence(self.finding.remedy)} (This is for {short_name(self.judged)}.)"


class Group(msgspec.Struct):
    """Findings with the same reason, namespace or remedy."""

    title: str
    parts: dict[tuple[str, ...], Part] = msgspec.field(default_factory=dict)

    @property
    def members(self) -> Mapping[tuple[str, ...], ObjectReport]:
        """The objects of the group, each once."""
        return {key: judged for part in self.parts.values() for key, judged in part.members.items()}

    @property
    def rank(self) -> int:
        """The rank of the strongest finding: denied, warned, unproven, noted."""
        return min(rank_of(part.finding) for part in self.parts.values())


class Machines(msgspec.Struct, frozen=True):
    """The number of VMs by verdict."""

    migratable: int
    refused: int
    unproven: int

    @property
    def total(self) -> int:
        """The number of judged VMs."""
        return self.migratable + self.refused + self.unproven


def grouped(report: AuditReport, by: str) -> list[Group]:
    """The groups, the strongest findings and the largest groups first."""
    groups: dict[tuple[str, ...], Group] = {}
    for judged in report.objects:
        member = _identity(judged)
        for finding in judged.findings:
            if finding.exemption is not None:
                continue
            key, title = _group_of(judged, finding, by)
            group = groups.get(key)
            if group is None:
                group = groups[key] = Group(title)
            own = (finding.rule, finding.outcome, finding.action, generic(finding.remedy))
            part = group.parts.get(own)
            if part is None:
                part = group.parts[own] = Part(finding, judged)
            part.members.setdefault(member, judged)
            part.remedies.add(finding.remedy)
    return sorted(groups.values(), key=lambda group: (group.rank, -len(group.members), group.title))


def parts_of(group: Group) -> list[Part]:
    """The parts of a group, the strongest findings and the largest parts first."""
    return sorted(
        group.parts.values(),
        key=lambda part: (rank_of(part.finding), -len(part.members), part.finding.rule, part.finding.remedy),
    )


def rank_of(finding: FindingReport) -> int:
    """The rank of a finding: denied 0, warned 1, unproven 2, noted 3."""
    if is_unproven(finding):
        return 2
    return _RANKS[finding.action] if finding.action in (Action.DENY, Action.WARN) else 3


def _group_of(judged: ObjectReport, finding: FindingReport, by: str) -> tuple[tuple[str, ...], str]:
    """The key and the title of the group."""
    if by == "namespace":
        return (judged.namespace,), judged.namespace or CLUSTER
    if by == "remedy":
        return (generic(finding.remedy),), generic(finding.remedy or finding.message).removesuffix(".")
    reason = finding.reason or f"{finding.rule} {finding.name}"
    is_open = finding.outcome == "undetermined"
    return (reason, finding.outcome), f"{reason} (unproven)" if is_open else reason


def generic(remedy: str) -> str:
    """The remedy without the names that it quotes, so that the remedies of similar findings are equal."""
    return _QUOTED.sub("'…'", remedy)


def machines_of(report: AuditReport) -> Machines:
    """Counts the VMs by verdict. A VMI counts only if its VirtualMachine is not in the report."""
    verdicts: dict[tuple[str, ...], bool | None] = {}
    for judged in report.objects:
        if judged.kind == _VM or (judged.kind == _VMI and _identity(judged) not in verdicts):
            verdicts[_identity(judged)] = judged.verdict.live_migratable if judged.verdict is not None else None
    counts = Counter(verdicts.values())
    return Machines(counts[True], counts[False], counts[None])


def namespaces_of(members: Mapping[tuple[str, ...], ObjectReport]) -> list[tuple[str, int]]:
    """The namespaces of objects with the number of objects in each, the largest number first."""
    counts = Counter(judged.namespace for judged in members.values() if judged.namespace)
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def is_machine(judged: ObjectReport) -> bool:
    """Whether an object is a VirtualMachine or a VMI."""
    return judged.kind in (_VM, _VMI)


def counted(objects: Mapping[tuple[str, ...], ObjectReport]) -> str:
    """The objects as a number for each kind: ``12 VMs, 1 KubeVirt``."""
    kinds = Counter("VM" if is_machine(judged) else judged.kind for judged in objects.values())
    return ", ".join(plural(count, kind) for kind, count in sorted(kinds.items(), key=_vms_first))


def _vms_first(item: tuple[str, int]) -> tuple[bool, int, str]:
    kind, count = item
    return kind != "VM", -count, kind


def some(names: Sequence[str], most: int) -> str:
    """The first names, and the number of further names."""
    if len(names) <= most + 1:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"


def short_name(judged: ObjectReport, *, with_namespace: bool = True) -> str:
    """The name of an object. The kind is included unless the object is a VM."""
    name = judged.name or "(no name)"
    name = f"{judged.namespace}/{name}" if judged.namespace and with_namespace else name
    return name if is_machine(judged) else f"{judged.kind} {name}"


def names_of(part: Part, *, with_namespace: bool = True) -> list[str]:
    """The names of the objects, in the order of the report."""
    return [short_name(judged, with_namespace=with_namespace) for judged in part.members.values()]


def _identity(judged: ObjectReport) -> tuple[str, ...]:
    kind = _VM if judged.kind == _VMI else judged.kind
    return kind, judged.namespace, judged.name


def manages_kubevirt(objects: Iterable[ObjectReport]) -> bool:
    """Whether HyperConverged's operator writes the KubeVirt CR."""
    return any(judged.kind == "HyperConverged" for judged in objects)


def scopes_of(report: AuditReport) -> Iterator[str]:
    """The audited part of the cluster, as phrases."""
    if report.namespaces:
        yield f"{'namespace' if len(report.namespaces) == 1 else 'namespaces'} {some(report.namespaces, 5)}"
    else:
        yield "all namespaces"
    if report.shard.of > 1:
        yield f"shard {report.shard.number} of {report.shard.of}"
