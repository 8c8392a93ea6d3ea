"""The number of findings for each rule as text, the most frequent rule first."""

from collections import Counter

from webhook.policy.policy import Action
from webhook.report.model import FindingReport, Report
from webhook.report.text import summary

_ORDER = (Action.DENY, Action.WARN, "unproven", Action.AUDIT, "exempted")


def render(report: Report, *, colour: bool = False, quiet: bool = False) -> str:
    """Lines such as ``  12  LM201 claim-not-shared: 10 deny, 2 unproven``, and the summary unless ``quiet``."""
    rules: dict[tuple[str, str], Counter[str]] = {}
    for judged in report.objects:
        for finding in judged.findings:
            rules.setdefault((finding.rule, finding.name), Counter())[_kind(finding)] += 1
    ranked = sorted(rules.items(), key=lambda item: (-item[1].total(), item[0]))
    width = max((len(str(kinds.total())) for _, kinds in ranked), default=0)
    lines = [
        f"{kinds.total():>{width}}  {rule} {name}: {', '.join(f'{kinds[kind]} {kind}' for kind in _ORDER if kinds[kind])}"
        for (rule, name), kinds in ranked
    ]
    closing = [] if quiet else [summary(report, colour=colour)]
    return "".join(f"{line}\n" for line in [*lines, *closing])


def _kind(finding: FindingReport) -> str:
    if finding.exemption is not None:
        return "exempted"
    if finding.outcome == "undetermined" and finding.action != Action.DENY:
        return "unproven"
    return finding.action
