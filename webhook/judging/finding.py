"""What the engine finds: the outcome of a rule, weighed by the releases that were asked about. This file does no I/O."""

from collections.abc import Iterable, Iterator

import msgspec

from webhook.kubevirt.releases import Releases
from webhook.kubevirt.verdict import Verdict
from webhook.objects.path import FieldPath
from webhook.rules.rule import Assumption, Basis, Rule, Undetermined, Violation


class Finding(msgspec.Struct, frozen=True):
    """One rule's outcome at one place of one object."""

    rule: Rule
    basis: Basis
    path: FieldPath
    message: str
    remedy: str
    subject: str
    releases: Releases
    """The asked releases for which it holds."""
    undetermined: bool = False
    unreadable: bool = False
    """Whether it is undetermined because an object that exists cannot be read."""
    harm: int = 0
    """How much is wrong (``Violation.harm``)."""

    @property
    def identity(self) -> tuple[str, str]:
        """What the ratchet compares: never index or wording."""
        return self.rule.id, self.subject


class Judgement(msgspec.Struct, frozen=True):
    """Everything that can be said of one object."""

    findings: tuple[Finding, ...]
    verdict: Verdict | None = None
    """None for kinds that carry no VMI."""


def findings_about(rules: Iterable[Rule], facts: object, releases: Releases) -> Iterator[Finding]:
    """What rules say of facts that are the same in all releases."""
    for rule in rules:
        for outcome in rule.check(facts):
            if not isinstance(outcome, Assumption) and (finding := finding_of(rule, outcome, releases)) is not None:
                yield finding


def finding_of(rule: Rule, outcome: Violation | Undetermined, asked: Releases) -> Finding | None:
    """
    The finding that an outcome makes in the asked releases, or None where it does not hold in any of them.

    Basis is ``kubevirt`` where an asked release refuses; else ``baseline`` for the fixed list, which holds whatever the
    release; a rule that no release refuses and that is not on the list is ``advice``.
    """
    refusing = asked & rule.kubevirt & outcome.releases
    if refusing:
        basis, holding = Basis.KUBEVIRT, refusing
    elif rule.baseline:
        basis, holding = Basis.BASELINE, asked
        if isinstance(outcome, Undetermined) and rule.kubevirt:
            return None
    elif not rule.kubevirt and asked & outcome.releases:
        basis, holding = Basis.ADVICE, asked & outcome.releases
    else:
        return None
    if isinstance(outcome, Undetermined):
        return Finding(
            rule,
            basis,
            outcome.path,
            outcome.why,
            outcome.settle,
            outcome.subject,
            holding,
            undetermined=True,
            unreadable=outcome.unreadable,
        )
    return Finding(
        rule,
        basis,
        outcome.path,
        outcome.message,
        outcome.remedy or rule.remediation,
        outcome.subject,
        holding,
        harm=outcome.harm,
    )
