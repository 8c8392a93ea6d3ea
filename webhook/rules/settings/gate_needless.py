"""A feature gate that is on by default does not need to be listed."""

from collections.abc import Iterator

from webhook.facts.settings import SettingsFacts
from webhook.kubevirt.feature_gates import GATES
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation
from webhook.rules.settings._feature_gates import GATES_BASE, feature_gates, listed
from webhook.rules.settings._setting import GATES_GUIDE


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    for path, name in listed(facts):
        on_by_default = GATES[name].on_by_default if name in GATES else 0
        if facts.releases & on_by_default:
            yield Violation(path, f"feature gate {name} is on by default", f"gate {name}", releases=on_by_default)


RULE = Rule(
    id="LM623",
    name="needless-feature-gate",
    about=About.SETTINGS,
    severity=Severity.INFO,
    summary="A listed feature gate is on by default.",
    rationale=(
        "Live migration has needed no gate since v0.56, but many instructions still list LiveMigration. The entry has "
        "no effect, so its removal does not turn live migration off."
    ),
    remediation="Remove the gate from featureGates.",
    source="pkg/virt-config/featuregate/inactive.go and feature-gates.go, v1.9.0",
    reference=GATES_GUIDE,
    check=check,
    examples=(
        Example("a gate that must be listed", feature_gates("VGPULiveMigration")),
        Example("no gates", "{configuration: {}}"),
        Example("SRIOVLiveMigration", feature_gates("SRIOVLiveMigration"), violates=(f"{GATES_BASE}[0]",)),
        Example("LiveMigration", feature_gates("LiveMigration"), violates=(f"{GATES_BASE}[0]",)),
        Example("VolumeMigration in 1.4", feature_gates("VolumeMigration"), release="1.4"),
        Example(
            "VolumeMigration from 1.5 on",
            feature_gates("VolumeMigration"),
            violates=(f"{GATES_BASE}[0]",),
            release="1.5",
        ),
    ),
)
