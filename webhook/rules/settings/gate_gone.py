"""A feature gate has no effect once KubeVirt has removed its feature."""

from collections.abc import Iterator

from webhook.facts.settings import SettingsFacts
from webhook.kubevirt.feature_gates import GATES
from webhook.kubevirt.releases import KNOWN, newest
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation
from webhook.rules.settings._feature_gates import GATES_BASE, feature_gates, listed
from webhook.rules.settings._setting import GATES_GUIDE


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    for path, name in listed(facts):
        removed = GATES[name].removed if name in GATES else 0
        if facts.releases & removed:
            last = newest(KNOWN & ~removed).release
            yield Violation(
                path,
                f"feature gate {name} has no effect after KubeVirt {last}, which was the last release with its feature",
                f"gate {name}",
                releases=removed,
            )


RULE = Rule(
    id="LM622",
    name="feature-gate-gone",
    about=About.SETTINGS,
    severity=Severity.WARNING,
    summary="KubeVirt has removed the feature of a listed feature gate.",
    rationale="KubeVirt refuses or does not start VMs that still use the feature. The listed gate hides this problem.",
    remediation="Remove the gate, and move the VMs that use its feature to the replacement.",
    source="pkg/virt-config/featuregate/inactive.go, v1.9.0",
    reference=GATES_GUIDE,
    check=check,
    examples=(
        Example("the last release with the feature", feature_gates("ExperimentalVirtiofsSupport"), release="1.7"),
        Example("a gate whose feature still exists", feature_gates("HostDevices")),
        Example("no gates", "{configuration: {}}"),
        Example(
            "the first release without the feature",
            feature_gates("ExperimentalVirtiofsSupport"),
            violates=(f"{GATES_BASE}[0]",),
            release="1.8",
        ),
        Example("a removed core binding", feature_gates("HostDevices", "Macvtap"), violates=(f"{GATES_BASE}[1]",)),
        Example("another removed core binding", feature_gates("Passt"), violates=(f"{GATES_BASE}[0]",)),
    ),
)
