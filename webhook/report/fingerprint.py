"""Fingerprints of findings. Fingerprints stay the same if lines move, lists grow or messages are reworded."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from hashlib import sha256
from posixpath import dirname

import msgspec

from webhook.report.model import FindingReport, ObjectReport, Report
from webhook.report.sentences import file_of

_QUOTED = re.compile(r"(?<!\w)'([^']*)'")
_INDEX = re.compile(r"\[\d+\]")


class Fingerprints(msgspec.Struct, frozen=True):
    """
    Three fingerprints of a finding: without a place, with the folder, and with the file.

    If two findings have the same fingerprint, the suffix ``:2`` marks the second one.
    """

    plain: str
    in_folder: str
    in_file: str
    own: str
    """The fingerprint to use. This is ``plain``, unless several files contain objects with this name."""

    @property
    def is_plain(self) -> bool:
        """Whether only one file contains objects with this name."""
        return self.own == self.plain


def fingerprinted(
    report: Report, located: Callable[[str], str] = file_of
) -> Iterator[tuple[ObjectReport, FindingReport, Fingerprints]]:
    """
    Each finding with its object and fingerprints, in order.

    If several folders contain an object with the same name, such as ``dev/`` and ``prod/``, the fingerprint includes the
    folder. If several files in one folder contain an object with the same name, the fingerprint includes the file. ``located``
    maps a file name in the report to the path in the fingerprint.
    """
    files: dict[tuple[str, ...], Counter[str]] = {}
    for judged in report.objects:
        files.setdefault(_name(judged), Counter())[_file(judged, located)] += 1
    seen: Counter[str] = Counter()

    def numbered(identity: str) -> str:
        seen[identity] += 1
        return f"{identity}:{seen[identity]}"

    for judged in report.objects:
        file, others = _file(judged, located), files[_name(judged)]
        folder = dirname(file)
        shares_folder = sum(dirname(other) == folder for other in others) > 1 if len(others) > 1 else False
        for finding in judged.findings:
            plain, in_folder, in_file = (
                numbered(identity_of(judged, finding, place)) for place in ("", f"{folder}/", file or "-")
            )
            own = plain if len(others) == 1 else in_file if shares_folder else in_folder
            yield judged, finding, Fingerprints(plain, in_folder, in_file, own)


def identity_of(judged: ObjectReport, finding: FindingReport, place: str = "") -> str:
    """
    A hash (32 hexadecimal digits) of the rule, the object, and the path without list indices.

    The hash includes the names that the message quotes (volume, claim, interface). These names distinguish findings whose
    paths differ only in list indices. If ``place`` is not empty, the hash also includes this file or folder.
    """
    parts = (
        finding.rule,
        *_name(judged),
        _INDEX.sub("[]", finding.path),
        *_QUOTED.findall(finding.message),
        *((f"in {place}",) if place else ()),
    )
    return sha256("\x1f".join(parts).encode(errors="replace")).hexdigest()[:32]


def _name(judged: ObjectReport) -> tuple[str, ...]:
    return judged.api_version.rpartition("/")[0], judged.kind, judged.namespace, judged.name


def _file(judged: ObjectReport, located: Callable[[str], str]) -> str:
    return located(judged.source.file) if judged.source is not None else ""
