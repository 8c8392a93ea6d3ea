"""A misspelt feature gate turns nothing on."""

from collections.abc import Iterator

from webhook.facts.settings import SettingsFacts
from webhook.kubevirt.feature_gates import GATES
from webhook.kubevirt.releases import KNOWN, newest
from webhook.kubevirt.schema.spelling import close_matches
from webhook.objects.shown import shown
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation
from webhook.rules.settings._gate import GATES_BASE, gates, listed
from webhook.rules.settings._words import GATES_GUIDE


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    lower = {name.lower(): name for name in GATES}
    for path, name in listed(facts):
        known = GATES.get(name)
        if known is not None:
            missing = KNOWN & ~known.known
            if facts.releases & missing:
                last = newest(missing).release
                message = f"KubeVirt knows no feature gate {name} up to {last}; it turns nothing on there"
                yield Violation(
                    path, message, f"gate {name}", "Remove it until the cluster runs a newer KubeVirt.", missing
                )
            continue
        close = close_matches(name.lower(), lower, cutoff=0.87)
        if close:
            yield Violation(
                path,
                f"feature gate {shown(name)} is misspelt",
                f"gate {shown(name)}",
                f"Did you mean {lower[close[0]]}?",
            )


RULE = Rule(
    id="LM621",
    name="unknown-feature-gate",
    about=About.SETTINGS,
    severity=Severity.WARNING,
    summary="A feature gate that has to do with migration is misspelt, or newer than this KubeVirt.",
    rationale="KubeVirt ignores gates that it does not know; names are compared letter by letter, also by case.",
    remediation="Correct the name.",
    source="pkg/virt-config/featuregate/feature-gates.go, v1.9.0",
    reference=GATES_GUIDE,
    check=check,
    examples=(
        Example("a known gate", gates("VGPULiveMigration")),
        Example("a gate of something else", gates("Snapshot")),
        Example("a wrong case", gates("vGPULiveMigration"), violates=(f"{GATES_BASE}[0]",)),
        Example("a gate of a later release", gates("VGPULiveMigration"), violates=(f"{GATES_BASE}[0]",), release="1.8"),
    ),
)
