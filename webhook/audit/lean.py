"""
Equal parts of the reports about VMs, stored once.

A cluster of 100,000 VMs has few different verdicts, and the same findings again and again. This module does no I/O.
"""

import sys
from typing import TypeVar

import msgspec

from webhook.report.audited import Audited

T = TypeVar("T")


class LeanReports:
    """Replaces parts of reports by equal parts of earlier reports."""

    def __init__(self) -> None:
        self._known: dict[int, object] = {}
        """By the hash of the content. A part with the hash of another part stays as it is."""

    def lean(self, audited: Audited) -> Audited:
        """An equal object, which shares its verdict, findings and names with others."""
        report = audited.report
        return msgspec.structs.replace(
            audited,
            report=msgspec.structs.replace(
                report,
                namespace=sys.intern(report.namespace),
                name=sys.intern(report.name),
                verdict=None if report.verdict is None else self._shared(report.verdict),
                findings=self._shared([self._shared(finding) for finding in report.findings]),
            ),
        )

    def _shared(self, part: T) -> T:
        known = self._known.setdefault(hash(msgspec.msgpack.encode(part)), part)
        return known if type(known) is type(part) and known == part else part
