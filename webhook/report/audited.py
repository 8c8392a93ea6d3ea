"""
The judged objects of a running cluster, and the report of ``audit -o json``.

The report has the shape of ``check -o json``, and more fields.
"""

import msgspec

from webhook.report.model import ObjectReport, Report


class ConditionReport(msgspec.Struct, frozen=True, rename="camel"):
    """A condition of a running VMI: as KubeVirt set it, or as the verdict gives it."""

    status: bool
    reason: str = ""


class DisagreementReport(msgspec.Struct, frozen=True, rename="camel"):
    """A condition of a running VMI that differs from the verdict about the same VMI."""

    namespace: str
    name: str
    condition: str
    """``LiveMigratable`` or ``StorageLiveMigratable``."""
    observed: ConditionReport
    verdict: ConditionReport


class Audited(msgspec.Struct, frozen=True):
    """A judged object of a cluster."""

    report: ObjectReport
    uid: str = ""
    """``metadata.uid``, for owner references."""
    is_machine: bool = False
    """Whether the object counts as a VM: a VirtualMachine, or a VMI that no VirtualMachine owns."""
    is_running: bool = False
    """Whether the object is a VMI, or a VirtualMachine with a VMI."""
    eviction_strategy: str = ""
    """The eviction strategy in force. Empty if it is unknown, or if the object has none."""
    disagreements: tuple[DisagreementReport, ...] = ()


class Shard(msgspec.Struct, frozen=True, rename="camel"):
    """A part of the namespaces of a cluster. ``number`` counts from 1 to ``of``."""

    number: int = 1
    of: int = 1


class UnreadReport(msgspec.Struct, frozen=True, rename="camel", order=True):
    """A kind that could not be listed."""

    kind: str
    namespace: str = ""
    """The namespace in which the kind could not be listed. Empty if it could not be listed at all."""
    reason: str = "not allowed"
    is_refused: bool = True
    """Whether the account lacks the permission. Otherwise a later audit can read the kind."""


class AuditReport(Report, frozen=True):
    """The report on a cluster. ``objects`` has the same order as ``Audit.objects``."""

    shard: Shard = Shard()
    namespaces: tuple[str, ...] = ()
    """The audited namespaces. Empty if all namespaces were audited."""
    unread: tuple[UnreadReport, ...] = ()
    is_incomplete: bool = False
    """Whether objects that belong to the audit could not be listed, and were therefore not judged."""
    disagreements: tuple[DisagreementReport, ...] = ()


class Audit(msgspec.Struct, frozen=True):
    """The result of an audit: the report, and what is known about each of its objects beside the report."""

    report: AuditReport
    objects: tuple[Audited, ...]
