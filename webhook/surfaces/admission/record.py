"""Turns the outcome of a request into its response: status, warnings and audit annotations. Counts and logs it."""

import logging
from typing import Protocol

from webhook.policy.policy import Action, Lowered, would_deny
from webhook.surfaces.admission.requests import DecodedRequest
from webhook.surfaces.admission.responses import allowed, denied, warnings_of
from webhook.surfaces.admission.validate import Outcome

log = logging.getLogger("migratable.admission")


class Observer(Protocol):
    """Counts what happened; labels are from closed sets."""

    def reviewed(self, door: str, kind: str, operation: str, outcome: str, seconds: float) -> None:
        """One review was answered: ``allowed``, ``denied``, ``patched``, ``internal``, ``bad``, ``shed``."""
        ...

    def found(self, rule: str, kind: str, action: str) -> None:
        """One finding was decided about."""
        ...

    def would_deny(self, rule: str) -> None:
        """A finding passed that the built-in strict policy denies: what a step from audit to deny would change."""
        ...

    def lowered(self, rule: str, reason: Lowered) -> None:
        """A denial became a warning, or less, because of who sent the request."""
        ...


def answer_of(read: DecodedRequest, kind: str, outcome: Outcome, observer: Observer) -> bytes:
    """The response to a request that was judged. Counts each finding and logs a denial."""
    request = read.request
    for decision in outcome.decisions:
        observer.found(decision.finding.rule.id, kind, decision.action)
        if would_deny(decision):
            observer.would_deny(decision.finding.rule.id)
        if decision.lowered is not None:
            observer.lowered(decision.finding.rule.id, decision.lowered)
    if not outcome.allowed:
        denied_rules = sorted({each.finding.rule.id for each in outcome.decisions if each.action is Action.DENY})
        log.info(
            "denied",
            extra={
                "uid": request.uid,
                "kind": request.kind.kind,
                "namespace": request.namespace,
                "object": request.name,
                "rules": denied_rules,
            },
        )
        name = request.name or (read.object.name if read.object is not None else "")
        warnings = [*outcome.warnings, *warnings_of(outcome.decisions)]
        return denied(request.uid, request.kind.kind, name, outcome.causes, warnings)
    audit = {}
    if outcome.decisions:
        audit["findings"] = ",".join(sorted({each.finding.rule.id for each in outcome.decisions}))
    audit |= _lowered_for(outcome)
    if outcome.judgement is not None and outcome.judgement.verdict is not None:
        said = outcome.judgement.verdict.live_migratable
        audit["live-migratable"] = "unproven" if said is None else str(said).lower()
    return allowed(request.uid, [*outcome.warnings, *warnings_of(outcome.decisions)], audit)


def _lowered_for(outcome: Outcome) -> dict[str, str]:
    """Audit annotations that name the lowered denials, and the entry of the policy file that lowered them."""
    lowered = sorted({f"{each.finding.rule.id}={each.lowered}" for each in outcome.decisions if each.lowered})
    if not lowered:
        return {}
    account = outcome.account
    named = (
        {"account-entry": f"{account.owner}, until {account.until}: {account.reason}"} if account is not None else {}
    )
    return {"lowered": ",".join(lowered), **named}
