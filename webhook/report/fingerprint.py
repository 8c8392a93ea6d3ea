"""Fingerprints of findings. They stay the same if lines move, lists grow or messages are reworded."""

import re
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256

from webhook.report.model import FindingReport, ObjectReport, Report

_QUOTED = re.compile(r"(?<!\w)'([^']*)'")
_INDEX = re.compile(r"\[\d+\]")


def fingerprinted(report: Report) -> Iterator[tuple[ObjectReport, FindingReport, str]]:
    """Each finding with its object and fingerprint, in order. The second finding with the same identity ends in ``:2``."""
    seen: Counter[str] = Counter()
    for judged in report.objects:
        for finding in judged.findings:
            identity = identity_of(judged, finding)
            seen[identity] += 1
            yield judged, finding, f"{identity}:{seen[identity]}"


def identity_of(judged: ObjectReport, finding: FindingReport) -> str:
    """
    Rule, object and path without list indices, as 32 hexadecimal digits.

    The names that a message quotes (volume, claim, interface) tell two findings at the same kind of place apart.
    """
    parts = (
        finding.rule,
        judged.api_version.rpartition("/")[0],
        judged.kind,
        judged.namespace,
        judged.name,
        _INDEX.sub("[]", finding.path),
        *_QUOTED.findall(finding.message),
    )
    return sha256("\x1f".join(parts).encode(errors="replace")).hexdigest()[:32]
