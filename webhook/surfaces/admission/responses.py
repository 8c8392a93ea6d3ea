"""From decisions to the bytes of an answer, within what API servers and kubectl show."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from webhook.objects.path import dotted
from webhook.objects.review import (
    AdmissionResponse,
    AdmissionReviewAnswer,
    Status,
    StatusCause,
    StatusDetails,
)
from webhook.policy.policy import Action, Decision
from webhook.report.printable import printable

MAX_CAUSES = 10
MAX_WARNINGS = 10
MAX_WARNING = 120
"""Characters; kubectl shows longer ones badly, and API servers cut or drop them (KEP-1693)."""
MAX_MESSAGE = 4096
NOT_CONFIRMED = "Migratable could not confirm this denial in time. If you have just corrected the cause, try again."
"""At most 120 characters, so that kubectl shows all of it."""
_encoder = msgspec.json.Encoder()


def allowed(uid: str, warnings: Sequence[str] = (), audit: Mapping[str, str] | None = None) -> bytes:
    """An answer that lets the request pass."""
    return _answer(
        AdmissionResponse(
            uid, True, warnings=_some(warnings), audit_annotations=dict(audit) if audit else msgspec.UNSET
        )
    )


def patched(uid: str, operations: Sequence[Mapping[str, Any]], warnings: Sequence[str] = ()) -> bytes:
    """An answer that fills in defaults; without operations it carries no patch."""
    if not operations:
        return allowed(uid, warnings)
    patch = base64.b64encode(_encoder.encode(operations)).decode()
    return _answer(AdmissionResponse(uid, True, patch=patch, patch_type="JSONPatch", warnings=_some(warnings)))


def denied(uid: str, kind: str, name: str, causes: Sequence[StatusCause], warnings: Sequence[str] = ()) -> bytes:
    """An answer that refuses, with every cause and its field path: the first ten, then "and N more"."""
    shown = list(causes[:MAX_CAUSES])
    if len(causes) > MAX_CAUSES:
        shown.append(StatusCause("FieldValueInvalid", f"and {len(causes) - MAX_CAUSES} more", ""))
    message = "; ".join(f"{each.field}: {each.message}" if each.field else each.message for each in shown)
    if len(message) > MAX_MESSAGE:
        message = message[: MAX_MESSAGE - 1] + "…"
    status = Status(message, "Invalid", StatusDetails(name, "", kind, shown), 422)
    return _answer(AdmissionResponse(uid, False, status=status, warnings=_some(warnings)))


def cause_of(decision: Decision) -> StatusCause:
    """A denied finding as kubectl prints it: ``* field: what is wrong. What to write instead [rule]``."""
    finding = decision.finding
    text = f"{printable(finding.message)}. {printable(finding.remedy)} [{finding.rule.id} {finding.rule.name}]"
    return StatusCause("FieldValueInvalid", text, printable(dotted(finding.path)))


def warning_of(cause: StatusCause) -> str:
    """What would be refused, where the policy only warns."""
    return _line(f"{cause.field}: {cause.message}")


def warnings_of(decisions: Iterable[Decision]) -> list[str]:
    """One line of at most 120 characters for each warning, the last one counting what is left out."""
    lines = [
        _line(f"[{each.finding.rule.id}] {each.place or dotted(each.finding.path)}: {each.finding.message}")
        for each in decisions
        if each.action is Action.WARN
    ]
    if len(lines) > MAX_WARNINGS:
        return [*lines[: MAX_WARNINGS - 1], f"and {len(lines) - MAX_WARNINGS + 1} more findings; see the audit report"]
    return lines


def _line(text: str) -> str:
    text = printable(text)
    return text if len(text) <= MAX_WARNING else text[: MAX_WARNING - 1] + "…"


def _some(warnings: Sequence[str]) -> list[str] | msgspec.UnsetType:
    return list(warnings) if warnings else msgspec.UNSET


def _answer(response: AdmissionResponse) -> bytes:
    return _encoder.encode(AdmissionReviewAnswer(response))
