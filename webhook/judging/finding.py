"""Findings: the outcomes of rules in the judged releases. This module does no I/O."""

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
    """The judged releases for which the finding holds."""
    undetermined: bool = False
    unreadable: bool = False
    """Whether the finding is undetermined because an existing object cannot be read."""
    harm: int = 0
    """The degree of the problem (``Violation.harm``)."""
    is_tolerated: bool = False
    """Whether no profile denies the finding (``Violation.is_tolerated``)."""

    @property
    def identity(self) -> tuple[str, str]:
        """
        The identity, by which findings of an old and a new object are compared. The identity contains no index and no
        message.
        """
        return self.rule.id, self.subject


class Judgement(msgspec.Struct, frozen=True):
    """All findings about one object, and its verdict."""

    findings: tuple[Finding, ...]
    verdict: Verdict | None = None
    """The verdict is None for kinds without a VMI."""


def findings_about(rules: Iterable[Rule], facts: object, releases: Releases) -> Iterator[Finding]:
    """The findings of rules about facts that are the same in all releases."""
    for rule in rules:
        for outcome in rule.check(facts):
            if not isinstance(outcome, Assumption) and (finding := finding_of(rule, outcome, releases)) is not None:
                yield finding


def finding_of(rule: Rule, outcome: Violation | Undetermined, judged: Releases) -> Finding | None:
    """
    The finding for an outcome in the judged releases. The result is None if the outcome holds in none of these releases.

    The basis is ``kubevirt`` if KubeVirt refuses to migrate in a judged release. Otherwise the basis is ``baseline`` for a
    rule on the fixed list, which does not depend on the release. For all other rules, the basis is ``advice``.
    """
    refusing = judged & rule.kubevirt & outcome.releases
    if refusing:
        basis, holding = Basis.KUBEVIRT, refusing
    elif rule.baseline:
        basis, holding = Basis.BASELINE, judged
        if isinstance(outcome, Undetermined) and rule.kubevirt:
            return None
    elif not rule.kubevirt and judged & outcome.releases:
        basis, holding = Basis.ADVICE, judged & outcome.releases
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
        is_tolerated=outcome.is_tolerated,
    )
