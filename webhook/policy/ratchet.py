"""Compares the decisions about an object with the decisions about its old version: only a new finding can be denied."""

import math
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from webhook.judging.finding import Finding
from webhook.policy.policy import Action, Decision


def ratchet(
    new: Sequence[Decision], old: Iterable[Decision], former: Mapping[str, str] = MappingProxyType({})
) -> tuple[Decision, ...]:
    """
    Lowers a denial to a warning if the old object already has the same finding, denied or exempt.

    Only a new finding can be denied, so that users can change and improve an admitted object. The rule and a stable subject
    identify a finding. So a reordered list adds no finding, but a volume with another claim adds a finding. If a finding has an
    amount (``harm``), a larger amount is new. A finding that was only a warning before and is denied now is also new. Otherwise
    two allowed updates could lead to a state that one update cannot reach. ``former`` maps a subject to its old name if
    KubeVirt renamed it.
    """
    known: dict[tuple[str, str], int] = {}
    for decision in old:
        if decision.action is Action.DENY or decision.denied_when_enforced or decision.exemption is not None:
            finding = decision.finding
            known[finding.identity] = max(finding.harm, known.get(finding.identity, finding.harm))

    def is_known(finding: Finding) -> bool:
        rule, subject = finding.identity
        names = (subject, former.get(subject, subject))
        return any(known.get((rule, name), -math.inf) >= finding.harm for name in names)

    return tuple(
        Decision(decision.finding, Action.WARN, decision.exemption)
        if (decision.action is Action.DENY or decision.denied_when_enforced) and is_known(decision.finding)
        else decision
        for decision in new
    )
