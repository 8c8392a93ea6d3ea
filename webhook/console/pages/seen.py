"""
The part of a state that the caller may see.

This is the only place that decides it: pages get a ``Seen`` and never the source. Two states that differ only in hidden objects
give equal parts, so a page, its counts and its menus disclose nothing. This module does no I/O.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final, TypeAlias

from msgspec.structs import replace

from webhook.console.policies import with_ties
from webhook.console.state import Drains, MatchedPolicy, Source, State
from webhook.drain.plan import DrainReport, Machine, NodePlan
from webhook.drain.vm_explanation import VMExplanation
from webhook.report.audited import Audited
from webhook.report.model import ProblemReport
from webhook.report.report_objects import NAMES_TENANTS, is_setting, settings_namespaces
from webhook.surfaces.api.console.messages import Sight

_POLICY: Final = "MigrationPolicy"
_PART: Final = "Not all objects are judged yet."
"""The text of a caller with some namespaces: the source's own text may count objects of other namespaces."""


Shows: TypeAlias = Callable[[str], bool]


class Seen:
    """The visible part of a source's state."""

    def __init__(self, source: Source, sight: Sight, namespace: str = "") -> None:
        """``namespace`` is the namespace that the request names."""
        self._source = source
        self.sight = sight
        self.kept = namespace if sight.namespaces == (namespace,) else ""
        """The only visible namespace. Links keep it, because the server may not look for others (``MOST_NAMESPACES``)."""
        self.state = visible(source.state(), sight)

    def judged(self, namespace: str, name: str) -> tuple[Audited, ...]:
        """The VirtualMachine and then the VMI of this name. Empty if there is neither, or if it may not be seen."""
        if not self.sight.shows(namespace):
            return ()
        judged = tuple(sorted(self._source.judged(namespace, name), key=lambda one: one.report.kind))
        return judged if self.sight.namespaces is None else tuple(map(_as_reported, judged))

    def explained(self, namespace: str, name: str) -> VMExplanation | None:
        """All about one VM, or None before the first rehearsal, or if it may not be seen."""
        if not (self.sight.shows(namespace) and self.sight.nodes):
            return None
        explained = self._source.explained(namespace, name)
        if explained is None or self.sight.policies:
            return explained
        drain = None if explained.drain is None else replace(explained.drain, policy="")
        return replace(explained, policies=(), drain=drain)

    @cached_property
    def drained(self) -> Mapping[tuple[str, str], tuple[str, Machine]]:
        """The node of each running VM, and the effect of the node's drain on it, by namespace and name."""
        return self.state.drained()


def visible(state: State, sight: Sight) -> State:
    """The part of a state that may be seen."""
    if sight.namespaces is None and sight.nodes and sight.policies and sight.settings:
        return state
    is_whole, shows = sight.namespaces is None, _shows(sight)
    return replace(
        state,
        vms=state.vms if is_whole else tuple(vm for vm in state.vms if shows(vm.namespace)),
        others=tuple(_others(state.others, sight, shows)),
        policies=_policies(state.policies, sight, shows) if sight.policies else (),
        drains=_drains(state.drains, sight) if sight.nodes else Drains(),
        unread=state.unread if is_whole else tuple(o for o in state.unread if not o.namespace or shows(o.namespace)),
        problems=state.problems if is_whole else tuple(o for o in state.problems if _names_shown(o, shows)),
        unfinished=state.unfinished if is_whole or not state.unfinished else _PART,
        notes=state.notes if sight.settings else (),
    )


def _shows(sight: Sight) -> Shows:
    """Whether a namespace may be seen. A set, because there are many objects and up to 200 namespaces."""
    if sight.namespaces is None:
        return lambda _namespace: True
    return frozenset(sight.namespaces).__contains__


def _others(others: Sequence[Audited], sight: Sight, shows: Shows) -> Iterator[Audited]:
    """Settings need the right to see settings. Other objects, such as pools, need the right to see their namespace."""
    namespaces = settings_namespaces(others)
    for audited in others:
        judged = audited.report
        if judged.kind == _POLICY or not judged.namespace or is_setting(judged.kind, judged.namespace, namespaces):
            if sight.policies if judged.kind == _POLICY else sight.settings:
                yield audited if sight.namespaces is None else _without(audited, NAMES_TENANTS)
        elif shows(judged.namespace):
            yield audited if sight.namespaces is None else _as_reported(audited)


def _without(audited: Audited, rules: Collection[str]) -> Audited:
    """Settings without the findings that depend on VMs and networks of tenants."""
    findings = [finding for finding in audited.report.findings if finding.rule not in rules]
    return replace(audited, report=replace(audited.report, findings=findings))


def _as_reported(audited: Audited) -> Audited:
    """An object as its report in the namespace shows it: without the exemptions, which are the administrator's."""
    findings = [finding for finding in audited.report.findings if finding.exemption is None]
    return replace(audited, report=replace(audited.report, findings=findings, references=[], source=None))


def _drains(drains: Drains, sight: Sight) -> Drains:
    """The drains name all VMIs: the right to see nodes includes the VMIs of all namespaces, but not the policies."""
    if sight.policies or drains.report is None:
        return drains
    return replace(drains, report=_without_policies(drains.report))


def _without_policies(report: DrainReport) -> DrainReport:
    def cleared(node: NodePlan) -> NodePlan:
        return replace(node, machines=tuple(replace(one, policy="") for one in node.machines))

    return replace(report, nodes=tuple(map(cleared, report.nodes)))


def _policies(policies: Sequence[MatchedPolicy], sight: Sight, shows: Shows) -> tuple[MatchedPolicy, ...]:
    if sight.namespaces is None:
        return tuple(policies)
    shown = [
        replace(
            policy,
            decides=tuple(vm for vm in policy.decides if shows(vm[0])),
            loses=tuple(vm for vm in policy.loses if shows(vm[0])),
            unknown=tuple(vm for vm in policy.unknown if shows(vm[0])),
        )
        for policy in policies
    ]
    return with_ties(shown)


def _names_shown(problem: ProblemReport, shows: Shows) -> bool:
    """Whether a problem is about an object of a visible namespace, such as ``VirtualMachine tenant/web``."""
    _, _, name = problem.file.partition(" ")
    namespace, slash, _ = name.partition("/")
    return bool(slash) and shows(namespace)
