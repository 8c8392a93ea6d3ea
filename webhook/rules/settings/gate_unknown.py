"""KubeVirt ignores a misspelt feature gate."""

from collections.abc import Iterator

from webhook.facts.settings import SettingsFacts
from webhook.kubevirt.feature_gates import GATES
from webhook.kubevirt.releases import KNOWN, newest
from webhook.kubevirt.schema.spelling import close_matches
from webhook.objects.shown import shown
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation
from webhook.rules.settings._feature_gates import GATES_BASE, feature_gates, listed
from webhook.rules.settings._setting import GATES_GUIDE


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    lower = {name.lower(): name for name in GATES}
    for path, name in listed(facts):
        known = GATES.get(name)
        if known is not None:
            missing = KNOWN & ~known.known
            if facts.releases & missing:
                last = newest(missing).release
                message = f"feature gate {name} does not exist in KubeVirt {last} and earlier, which ignore it"
                yield Violation(
                    path, message, f"gate {name}", "Remove the gate until the cluster runs a newer KubeVirt.", missing
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
    summary="A feature gate for live migration is misspelt, or newer than this KubeVirt release.",
    rationale="KubeVirt ignores unknown gates. Names are case-sensitive.",
    remediation="Correct the name.",
    source="pkg/virt-config/featuregate/feature-gates.go, v1.9.0",
    reference=GATES_GUIDE,
    check=check,
    examples=(
        Example("a known gate", feature_gates("VGPULiveMigration")),
        Example("a gate that is not about live migration", feature_gates("Snapshot")),
        Example("no gates", "{configuration: {}}"),
        Example("a wrong case", feature_gates("vGPULiveMigration"), violates=(f"{GATES_BASE}[0]",)),
        Example("a missing letter", feature_gates("LiveMigraton"), violates=(f"{GATES_BASE}[0]",)),
        Example(
            "a gate of a later release",
            feature_gates("VGPULiveMigration"),
            violates=(f"{GATES_BASE}[0]",),
            release="1.8",
        ),
    ),
)
