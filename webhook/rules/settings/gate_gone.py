"""A gate whose feature was taken away turns nothing on."""

from collections.abc import Iterator

from webhook.facts.settings import SettingsFacts
from webhook.kubevirt.feature_gates import GATES
from webhook.kubevirt.releases import KNOWN, newest
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation
from webhook.rules.settings._gate import GATES_BASE, gates, listed
from webhook.rules.settings._words import GATES_GUIDE


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    for path, name in listed(facts):
        gone = GATES[name].gone if name in GATES else 0
        if facts.releases & gone:
            last = newest(KNOWN & ~gone).release
            yield Violation(
                path,
                f"feature gate {name} has no effect after KubeVirt {last}: its feature was taken away",
                f"gate {name}",
                releases=gone,
            )


RULE = Rule(
    id="LM622",
    name="feature-gate-gone",
    about=About.SETTINGS,
    severity=Severity.WARNING,
    summary="A feature gate whose feature no longer exists.",
    rationale="VMs that still use the feature are refused or do not start; the gate only hides that.",
    remediation="Remove the gate, and move the VMs that use its feature to what replaced it.",
    source="pkg/virt-config/featuregate/inactive.go, v1.9.0",
    reference=GATES_GUIDE,
    check=check,
    examples=(
        Example("before it went", gates("ExperimentalVirtiofsSupport"), release="1.7"),
        Example("after", gates("ExperimentalVirtiofsSupport"), violates=(f"{GATES_BASE}[0]",), release="1.8"),
        Example("a core binding of old", gates("HostDevices", "Macvtap"), violates=(f"{GATES_BASE}[1]",)),
    ),
)
