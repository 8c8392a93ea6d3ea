"""Makes the response for an outcome: status, warnings and audit annotations. Counts and logs the outcome."""

import logging
from typing import Protocol

from webhook.policy.policy import Action, Lowered, would_deny
from webhook.rules.rule import About
from webhook.surfaces.admission.requests import DecodedRequest
from webhook.surfaces.admission.responses import allowed, certain_lead, denied, lead_of, warnings_of
from webhook.surfaces.admission.validate import Outcome

ABOUT_CHANGES = (About.NETWORK_CHANGE, About.MIGRATION_NETWORK_CHANGE)
"""Findings about the effect of a change. A denied change has no effect, so a denial does not contain their warnings."""
SAID_BY_LEAD = frozenset(("LM501", "LM504"))
"""Rules about the effect of the verdict on a drain. The opening sentence of a denial for this verdict states the effect."""
log = logging.getLogger("migratable.admission")


class Observer(Protocol):
    """Counts reviews and findings. The labels have a fixed set of values."""

    def reviewed(self, door: str, kind: str, operation: str, outcome: str, seconds: float) -> None:
        """Counts a review by outcome: ``allowed``, ``denied``, ``patched``, ``internal``, ``bad``, ``shed`` or ``late``."""
        ...

    def found(self, rule: str, kind: str, action: str) -> None:
        """Counts a finding by enforcement action."""
        ...

    def would_deny(self, rule: str) -> None:
        """Counts a finding that is not denied, but that the built-in strict policy would deny."""
        ...

    def lowered(self, rule: str, reason: Lowered) -> None:
        """Counts a denial that was lowered, by reason."""
        ...


def answer_of(read: DecodedRequest, kind: str, outcome: Outcome, observer: Observer, help_line: str = "") -> bytes:
    """The response to a judged request. Counts each finding and logs a denial."""
    request = read.request
    for decision in outcome.decisions:
        observer.found(decision.finding.rule.id, kind, decision.action)
        if would_deny(decision):
            observer.would_deny(decision.finding.rule.id)
        if decision.lowered is not None:
            observer.lowered(decision.finding.rule.id, decision.lowered)
    if not outcome.allowed:
        denied_rules = sorted(
            {decision.finding.rule.id for decision in outcome.decisions if decision.action is Action.DENY}
        )
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
        lead = lead_of(request.kind.kind, outcome.decisions)
        said = SAID_BY_LEAD if lead == certain_lead(request.kind.kind) else frozenset()
        news = [
            decision
            for decision in outcome.decisions
            if decision.finding.rule.about not in ABOUT_CHANGES and decision.finding.rule.id not in said
        ]
        warnings = [*outcome.warnings, *warnings_of(news)]
        return denied(request.uid, request.kind.kind, name, outcome.causes, warnings, lead=lead, help_line=help_line)
    audit = {}
    if outcome.decisions:
        audit["findings"] = ",".join(sorted({decision.finding.rule.id for decision in outcome.decisions}))
    audit |= _lowered_for(outcome)
    if outcome.judgement is not None and outcome.judgement.verdict is not None:
        migratable = outcome.judgement.verdict.live_migratable
        audit["live-migratable"] = "unproven" if migratable is None else str(migratable).lower()
    return allowed(request.uid, [*outcome.warnings, *warnings_of(outcome.decisions, help_line)], audit)


def _lowered_for(outcome: Outcome) -> dict[str, str]:
    """Audit annotations: the lowered denials, and the account entry of the policy that lowered them."""
    lowered = sorted(
        {f"{decision.finding.rule.id}={decision.lowered}" for decision in outcome.decisions if decision.lowered}
    )
    if not lowered:
        return {}
    account = outcome.account
    entry = (
        {"account-entry": f"{account.owner}, until {account.until}: {account.reason}"} if account is not None else {}
    )
    return {"lowered": ",".join(lowered), **entry}
