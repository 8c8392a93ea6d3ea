"""Rows of the list of VMs, from judgements. This module does no I/O."""

from typing import Final

from webhook.console.state import VM
from webhook.kubevirt.subject import VM_KINDS
from webhook.policy.policy import Action
from webhook.report.audit_metrics import migratability
from webhook.report.audited import Audited

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
