"""Exemptions for the findings of an audit, as entries of a policy file."""

from collections.abc import Collection
from typing import Final

import msgspec

from webhook.policy.policy import Exemption
from webhook.report.model import Report
from webhook.yaml import writer

MOST_BYTES: Final = 1_000_000
"""Kubernetes accepts at most 1 MiB in a ConfigMap (``MaxSecretSize`` and ConfigMap validation, v1.34)."""
HEADER: Final = """\
# Exemptions for the findings of `migratable audit`. Copy them into the policy file (docs/policy.md), or use this file as one.
# Each entry applies until its date. After that day, the finding is enforced.
"""


class Terms(msgspec.Struct, frozen=True):
    """The terms of all exemptions: why, who is responsible, and the last day (``YYYY-MM-DD``)."""

    reason: str
    owner: str
    until: str


def render(report: Report, terms: Terms, actions: Collection[str]) -> str:
    """
    A policy file with an exemption for each rule and object with a finding of one of these actions.

    Exempted findings need no second exemption.
    """
    entries = dict.fromkeys(
        (finding.rule, judged.kind, judged.namespace, judged.name)
        for judged in report.objects
        for finding in judged.findings
        if finding.exemption is None and finding.action in actions
    )
    exemptions = [
        Exemption(rule, terms.reason, terms.owner, terms.until, namespace or None, name, kind)
        for rule, kind, namespace, name in sorted(entries, key=lambda entry: (entry[2], entry[1], entry[3], entry[0]))
    ]
    return HEADER + writer.dump({"exemptions": [_plain(exemption) for exemption in exemptions]})


def _plain(exemption: Exemption) -> dict[str, writer.Plain]:
    """The entry without empty keys."""
    fields: dict[str, writer.Plain] = msgspec.to_builtins(exemption)
    return {
        key: fields[key] for key in ("rule", "kind", "namespace", "name", "reason", "owner", "until") if fields[key]
    }


def size_note(text: str) -> str:
    """A note for a file that does not fit into a ConfigMap. Empty if it fits."""
    size = len(text.encode())
    if size <= MOST_BYTES:
        return ""
    return f"the exemptions have {size} bytes, and a ConfigMap holds 1 MiB. Exempt whole namespaces, or use a baseline"
