"""Makes the bytes of a response from decisions, within the limits of API servers and kubectl."""

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
from webhook.rules.rule import Basis, Rule
from webhook.surfaces.admission.kubevirt_accounts import WORKLOADS

MAX_CAUSES = 10
MAX_WARNINGS = 10
MAX_WARNING = 256
"""Characters. API servers may cut longer warnings, and drop warnings beyond a total of 4,096 characters (KEP-1693)."""
MAX_MESSAGE = 4096
NOT_CONFIRMED = "Migratable could not confirm this denial in time. If you have just corrected the cause, try again."
HELP = "Help: "
SENDER = "Migratable"
"""The name that opens each warning and each denial, because kubectl does not name the webhook."""
REFUSES = f"{SENDER} refuses this request:"
ENFORCED = "allowed now (mode warn), refused in mode enforce: "
ENFORCED_BRIEF = "refused in mode enforce: "
"""The form for warnings that are too long with the other form."""
FIXED_LIST = " KubeVirt itself would migrate the VM: the rule is only on Migratable's fixed list, and profile `exact` only warns."
CONSEQUENCE = ", so the VM cannot be live-migrated"
"""The end of a message. The first cause of a denial omits this end, because the opening sentence has already said it."""
_encoder = msgspec.json.Encoder()


def allowed(uid: str, warnings: Sequence[str] = (), audit: Mapping[str, str] | None = None) -> bytes:
    """A response that allows the request."""
    return _answer(
        AdmissionResponse(
            uid, True, warnings=_some(warnings), audit_annotations=dict(audit) if audit else msgspec.UNSET
        )
    )


def patched(uid: str, operations: Sequence[Mapping[str, Any]], warnings: Sequence[str] = ()) -> bytes:
    """A response that fills in defaults. Without operations, the response has no patch."""
    if not operations:
        return allowed(uid, warnings)
    patch = base64.b64encode(_encoder.encode(operations)).decode()
    return _answer(AdmissionResponse(uid, True, patch=patch, patch_type="JSONPatch", warnings=_some(warnings)))


def denied(
    uid: str,
    kind: str,
    name: str,
    causes: Sequence[StatusCause],
    warnings: Sequence[str] = (),
    *,
    lead: str = "",
    help_line: str = "",
) -> bytes:
    """
    A response that denies the request. It contains the first ten causes with their field paths, then the number of the others.

    kubectl prints only the causes, and other clients print only the message. So ``lead`` is in the first cause and in the
    message, and ``help_line`` is at the end of both.
    """
    shown = list(causes[:MAX_CAUSES])
    if shown and kind in WORKLOADS and lead == certain_lead(kind):
        shown[0] = _shortened(shown[0])
    if hidden := causes[MAX_CAUSES:]:
        shown.append(StatusCause("FieldValueInvalid", _not_shown(len(hidden)), _common_field(hidden)))
    message = "; ".join(f"{cause.field}: {cause.message}" if cause.field else cause.message for cause in shown)
    message = " ".join(filter(None, (lead, message)))
    room = MAX_MESSAGE - len(f" {help_line}" if help_line else "")
    if len(message) > room:
        message = message[: room - 1] + "…"
    message = f"{message} {help_line}" if help_line else message
    if shown and lead:
        shown[0] = StatusCause(shown[0].reason, f"{lead} Reason: {shown[0].message}", shown[0].field)
    if shown and help_line:
        shown[-1] = StatusCause(shown[-1].reason, f"{_ended(shown[-1].message)} {help_line}", shown[-1].field)
    status = Status(message, "Invalid", StatusDetails(name, "", kind, shown), 422)
    return _answer(AdmissionResponse(uid, False, status=status, warnings=_some(warnings)))


def _ended(message: str) -> str:
    return message if message.endswith("]") else _sentence(message)


def _shortened(cause: StatusCause) -> StatusCause:
    return StatusCause(cause.reason, cause.message.replace(f"{CONSEQUENCE}.", ".", 1), cause.field)


def _not_shown(count: int) -> str:
    return f"{count} more problem{'s are' if count > 1 else ' is'} not shown"


def _common_field(causes: Sequence[StatusCause]) -> str:
    """The path that contains the fields of all these causes, such as ``spec.template.spec.domain.devices.gpus``."""
    common = causes[0].field
    while common and not all(f"{cause.field}.".startswith((f"{common}.", f"{common}[")) for cause in causes):
        common = common[: common.rfind("[") if common.endswith("]") else max(common.rfind("."), common.rfind("["), 0)]
    return common or causes[0].field


def lead_of(kind: str, decisions: Iterable[Decision]) -> str:
    """
    The opening sentence of a denial, which names Migratable and the problem with live migration.

    The sentence is empty if no finding is denied: all other causes name Migratable or an unreadable field themselves.
    """
    denials = [decision.finding for decision in decisions if decision.action is Action.DENY]
    if not denials:
        return ""
    certain = {finding.basis for finding in denials if not finding.undetermined}
    if kind not in WORKLOADS or Basis.KUBEVIRT in certain:
        return certain_lead(kind)
    if Basis.BASELINE in certain:
        return unsafe_lead(kind)
    if all(finding.undetermined for finding in denials):
        return f"{REFUSES} nothing proves that the {kind} can be live-migrated."
    return f"{REFUSES} a live migration of the {kind}, or a drain of its node, would fail."


def certain_lead(kind: str) -> str:
    """
    The opening sentence for a violation that makes live migration impossible. Denials by the backstop policies also open with
    this sentence.
    """
    if kind in WORKLOADS:
        return f"{REFUSES} the {kind} cannot be live-migrated, so a node drain would hang or shut it down."
    return f"{REFUSES} live migrations would not work with this {kind}."


def unsafe_lead(kind: str) -> str:
    """The opening sentence for a violation that does not prevent KubeVirt from migrating the VM."""
    return f"{REFUSES} the {kind} violates Migratable's fixed list of rules for live migration."


def help_line_of(line: str) -> str:
    """The line that the administrator adds to denials and warnings; empty without ``help`` in the policy."""
    return f"{HELP}{line}" if line else ""


def cause_of(decision: Decision) -> StatusCause:
    """The cause for a denied finding. kubectl prints it as ``* field: message. Remedy [rule]``."""
    finding = decision.finding
    text = f"{printable(finding.message)}. {printable(finding.remedy)}{ending_of(finding.rule)}"
    return StatusCause("FieldValueInvalid", text, printable(dotted(finding.path)))


def ending_of(rule: Rule) -> str:
    """The end of a cause: the rule, after a sentence about rules that are not KubeVirt's own. The backstop ends causes alike."""
    return f"{FIXED_LIST if rule.baseline and not rule.kubevirt else ''} [{rule.id} {rule.name}]"


def warning_of(cause: StatusCause, *, denied_when_enforced: bool = False) -> str:
    """A cause as a warning, for a policy that only warns."""
    message = printable(cause.message)
    opening = "" if message.startswith(SENDER) else f"{SENDER}: "
    opening += ENFORCED if denied_when_enforced else ""
    texts = (message, _first_sentence(message), "A field of this object cannot be judged.")
    return _fitting([opening + text for text in texts], printable(cause.field))


def warnings_of(decisions: Iterable[Decision], help_line: str = "") -> list[str]:
    """
    One line for each warning, then the help line. If there are more than ten warnings, the last line counts the warnings
    that are left out.
    """
    lines = [_warning(decision) for decision in decisions if decision.action is Action.WARN]
    room = MAX_WARNINGS - 1 if help_line else MAX_WARNINGS
    if len(lines) > room:
        lines = [
            *lines[: room - 1],
            f"{SENDER}: {len(lines) - room + 1} more findings are not shown; see the audit report",
        ]
    return [*lines, help_line] if lines and help_line else lines


def _warning(decision: Decision) -> str:
    """
    The warning for a finding: the sender and the rule, its message, its remedy and, at the end, its path. Of several forms,
    the first one that fits is used, so that no sentence is cut.

    The short form of a rule is its summary. If mode ``enforce`` would deny the finding, a short form with the remedy is
    preferred to a message without it.
    """
    finding, rule = decision.finding, decision.finding.rule
    sender = f"{SENDER} [{rule.id}]: "
    message, remedy = _sentence(printable(finding.message)), _instruction(printable(finding.remedy))
    short = f"The result of {rule.name} is unproven." if finding.undetermined else rule.summary
    remedies = [remedy, _first_sentence(remedy)]
    if not finding.undetermined:
        remedies += [rule.remediation, _first_sentence(rule.remediation)]
    full = [f"{message} {text}" for text in remedies]
    brief = [f"{opened} {text}" for opened in (short, f"{rule.name}.") for text in remedies]
    explained = f"{short} Run `migratable explain {rule.id}`."
    forms = [*full, message, *brief, explained]
    if decision.denied_when_enforced:
        openings = (ENFORCED, ENFORCED_BRIEF)
        cause = message.replace(f"{CONSEQUENCE}.", ".", 1)
        named = [*full, *(f"{cause} {text}" for text in remedies), *brief]
        forms = [*(opening + text for opening in openings for text in named), ENFORCED + message, ENFORCED + explained]
    return _fitting([sender + text for text in forms], printable(decision.place or dotted(finding.path)))


def _fitting(texts: Sequence[str], place: str) -> str:
    """
    The first text that fits into a warning together with the place. If none fits, the first text that fits without the place.
    """
    lines = [*(f"{text} ({place})" for text in texts if place), *texts]
    return next((line for line in lines if len(line) <= MAX_WARNING), texts[-1])


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."


def _instruction(text: str) -> str:
    """
    Makes a sentence of a remedy. The remedy for an undetermined finding begins in lower case, so its first letter is
    capitalized.
    """
    return _sentence(text[:1].upper() + text[1:])


def _first_sentence(text: str) -> str:
    return _sentence(text.partition(". ")[0])


def _some(warnings: Sequence[str]) -> list[str] | msgspec.UnsetType:
    return list(warnings) if warnings else msgspec.UNSET


def _answer(response: AdmissionResponse) -> bytes:
    return _encoder.encode(AdmissionReviewAnswer(response))
