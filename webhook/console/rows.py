"""Rows of the list of VMs, from judgements. This module does no I/O."""

from bisect import bisect_left, insort
from typing import Final

from webhook.audit.watching.results import Difference
from webhook.console.state import VM
from webhook.kubevirt.subject import VM_KINDS
from webhook.policy.policy import Action
from webhook.report.audit_metrics import migratability
from webhook.report.audited import Audited
from webhook.report.report_objects import ObjectKey, key_of

_VM_KINDS: Final = frozenset(kind.__name__ for kind in VM_KINDS[:2])
_RANKS: Final = {action.value: rank for rank, action in enumerate(Action)}
"""The rank of each action. The most severe action has rank 0."""


def is_vm(audited: Audited) -> bool:
    """Whether an object is a VirtualMachine or a VMI. A VMI that differs from its VirtualMachine is one, and has no row."""
    return audited.report.kind in _VM_KINDS


def row_of(audited: Audited) -> VM:
    """The row of a VirtualMachine, or of a VMI without a VirtualMachine."""
    report = audited.report
    return VM(
        report.namespace,
        report.name,
        report.kind,
        migratability(report.verdict),
        (report.verdict.reason if report.verdict is not None else None) or "",
        min((finding.action for finding in report.findings), key=_RANKS.__getitem__, default=""),
        tuple(sorted({finding.rule for finding in report.findings})),
        audited.is_running,
        audited.eviction_strategy,
        bool(audited.disagreements),
    )


def place_of(vm: VM) -> tuple[str, str, str]:
    """The place of a row in the list."""
    return vm.namespace, vm.name, vm.kind


class Rows:
    """The rows of a watched cluster, and its judged objects that are no VMs. A difference changes only its own rows."""

    def __init__(self) -> None:
        self._vms: dict[tuple[str, str, str], VM] = {}
        self._places: list[tuple[str, str, str]] = []
        """The places of the rows, sorted."""
        self._others: dict[ObjectKey, Audited] = {}

    def apply(self, difference: Difference) -> None:
        """Changes the rows of a difference. Repeating the last difference changes nothing."""
        for key in difference.removed:
            self._remove(key)
        for audited in difference.updated:
            if audited.is_machine:
                self._put(row_of(audited))
            elif is_vm(audited):
                self._remove(key_of(audited))
            else:
                self._others[key_of(audited)] = audited

    def vms(self) -> tuple[VM, ...]:
        """The rows, sorted."""
        return tuple(map(self._vms.__getitem__, self._places))

    def others(self) -> tuple[Audited, ...]:
        """The objects that are no VMs, sorted."""
        return tuple(self._others[key] for key in sorted(self._others))

    def _put(self, row: VM) -> None:
        place = place_of(row)
        if place not in self._vms:
            insort(self._places, place)
        self._vms[place] = row

    def _remove(self, key: ObjectKey) -> None:
        _, kind, namespace, name = key
        place = namespace, name, kind
        self._others.pop(key, None)
        if self._vms.pop(place, None) is not None:
            del self._places[bisect_left(self._places, place)]
