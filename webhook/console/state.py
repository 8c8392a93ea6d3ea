"""The state of a cluster that the pages show. This module does no I/O."""

from typing import Protocol

import msgspec

from webhook.drain.plan import DrainReport, Machine
from webhook.drain.vm_explanation import VMExplanation
from webhook.report.audit_metrics import Migratability
from webhook.report.audited import Audited, UnreadReport
from webhook.report.model import ProblemReport


class VM(msgspec.Struct, frozen=True):
    """A VirtualMachine, or a VMI that no VirtualMachine owns, as a row of the list."""

    namespace: str
    name: str
    kind: str
    """``VirtualMachine`` or ``VirtualMachineInstance``."""
    migratability: Migratability
    reason: str = ""
    """KubeVirt's reason, such as ``DisksNotLiveMigratable``. Empty if there is none."""
    action: str = ""
    """The most severe action of its findings: ``deny``, ``warn``, ``audit``, or empty without findings."""
    rules: tuple[str, ...] = ()
    """The ids of its findings' rules, sorted, each once."""
    is_running: bool = False
    strategy: str = ""
    """The eviction strategy in force. Empty if it is unknown."""
    is_disputed: bool = False
    """Whether the condition that KubeVirt set differs from the verdict."""


class MatchedPolicy(msgspec.Struct, frozen=True):
    """A MigrationPolicy, and the VMs for which it decides."""

    name: str
    settings: tuple[tuple[str, str], ...] = ()
    """Names and values of its settings, in the order of the names."""
    selectors: tuple[tuple[str, str, str], ...] = ()
    """``namespace`` or ``vmi``, label and value of each required label."""
    problem: str = ""
    """Why the policy matches no VM for a reason of its own, such as selectors that are not maps. Empty otherwise."""
    decides: tuple[tuple[str, str], ...] = ()
    """Namespace and name of the VMs for which it is in force, sorted."""
    loses: tuple[tuple[str, str, str], ...] = ()
    """Namespace and name of the VMs that it matches, and the policy that is in force instead, sorted."""
    tied_with: tuple[str, ...] = ()
    """The policies that match some VM with as many labels, so that only the names decide."""
    unknown: tuple[tuple[str, str], ...] = ()
    """Namespace and name of the VMs that it may match: the labels of the namespace are not known."""


class Drains(msgspec.Struct, frozen=True):
    """The rehearsals of the drain of each node alone."""

    report: DrainReport | None = None
    """None before the first rehearsal, and if no rehearsal succeeded."""
    rehearsed_at: float | None = None
    """The time of the objects of ``report``, in seconds since 1970. None for files."""
    problem: str = ""
    """Why the last rehearsal failed. Empty if it succeeded."""


class State(msgspec.Struct, frozen=True):
    """All that the pages show, except for the details of one VM."""

    version: str
    """Differs whenever the content differs. Short ASCII."""
    source: str
    """The name of the cluster or of the files, such as ``examples/fleet``."""
    release: str
    """The release that VMs are judged for, or ``any``."""
    profile: str
    vms: tuple[VM, ...] = ()
    """Sorted by namespace and name."""
    others: tuple[Audited, ...] = ()
    """The judged objects that are no VMs, such as the KubeVirt CR, with or without findings, sorted."""
    policies: tuple[MatchedPolicy, ...] = ()
    """Sorted by name."""
    drains: Drains = Drains()
    unread: tuple[UnreadReport, ...] = ()
    """The kinds that could not be read. Nothing that depends on them is certain."""
    problems: tuple[ProblemReport, ...] = ()
    """The objects that could not be read."""
    unfinished: str = ""
    """Why not all objects were judged yet. Empty if all were judged."""
    judged_at: float | None = None
    """The time at which the judgements were last known to equal the cluster, in seconds since 1970. None for files."""
    notes: tuple[str, ...] = ()
    """Notes about the choice of the release."""

    def drained(self) -> dict[tuple[str, str], tuple[str, Machine]]:
        """The node of each running VM, and the effect of the node's drain on it, by namespace and name."""
        nodes = self.drains.report.nodes if self.drains.report is not None else ()
        return {(one.namespace, one.name): (node.name, one) for node in nodes for one in node.machines}


class Source(Protocol):
    """Where the state comes from: files, or a watched cluster. Any thread can call the methods. None of them waits."""

    def state(self) -> State:
        """The present state."""
        ...

    def judged(self, namespace: str, name: str) -> tuple[Audited, ...]:
        """The VirtualMachine and the VMI of this name, as far as they were judged. Empty if there is neither."""
        ...

    def explained(self, namespace: str, name: str) -> VMExplanation | None:
        """All that ``migratable explain vm/NAME`` shows, or None if there is no rehearsal yet or no such VM."""
        ...
