"""The rules as a list: ``migratable rules`` and ``GET /v1/rules``."""

from collections.abc import Sequence
from typing import Any

import msgspec

from webhook.kubevirt.releases import describe
from webhook.rules.register import RULES
from webhook.rules.rule import Rule


def entry(rule: Rule) -> dict[str, Any]:
    """One rule as JSON."""
    return {
        "id": rule.id,
        "name": rule.name,
        "about": rule.about.value,
        "summary": rule.summary,
        "reason": rule.reason.value if rule.reason is not None else None,
        "baseline": rule.baseline,
        "severity": rule.severity.value,
        "releases": describe(rule.kubevirt) if rule.kubevirt else "none",
        "rationale": rule.rationale,
        "remediation": rule.remediation,
        "source": rule.source,
        "reference": rule.reference,
    }


def entries() -> list[dict[str, Any]]:
    """All rules, in order."""
    return [entry(rule) for rule in RULES]


def as_json() -> str:
    """All rules as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(entries()), indent=2).decode() + "\n"


def as_text(rules: Sequence[Rule] = RULES) -> str:
    """Rules as text, one line each."""
    width = max(len(rule.name) for rule in rules)
    return "".join(f"{rule.id}  {rule.name:<{width}}  {rule.summary}\n" for rule in rules)


def of_reason(reason: str) -> str:
    """The rules for which KubeVirt sets this reason, as text. Empty if there is none."""
    rules = [rule for rule in RULES if rule.reason is not None and rule.reason.lower() == reason.lower()]
    return f"{as_text(rules)}\nTo fix it: migratable explain {rules[0].id}\n" if rules else ""
