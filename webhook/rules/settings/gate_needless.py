"""A gate that is always on need not be listed."""

from collections.abc import Iterator

from webhook.facts.settings import SettingsFacts
from webhook.kubevirt.feature_gates import GATES
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation
from webhook.rules.settings._gate import GATES_BASE, gates, listed
from webhook.rules.settings._words import GATES_GUIDE


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    for path, name in listed(facts):
        needless = GATES[name].needless if name in GATES else 0
        if facts.releases & needless:
            yield Violation(path, f"feature gate {name} is on without being listed", f"gate {name}", releases=needless)


RULE = Rule(
    id="LM623",
    name="needless-feature-gate",
    about=About.SETTINGS,
    severity=Severity.INFO,
    summary="A feature gate that is on anyway.",
    rationale=(
        "Live migration has needed no gate since v0.56; many instructions still list LiveMigration. Listing it does no harm "
        "and says nothing: removing it does not turn migration off."
    ),
    remediation="Remove it from featureGates.",
    source="pkg/virt-config/featuregate/inactive.go and feature-gates.go, v1.9.0",
    reference=GATES_GUIDE,
    check=check,
    examples=(
        Example("a gate that is needed", gates("VGPULiveMigration")),
        Example("LiveMigration", gates("LiveMigration"), violates=(f"{GATES_BASE}[0]",)),
        Example("needed up to 1.4", gates("VolumeMigration"), release="1.4"),
        Example("needless from 1.5 on", gates("VolumeMigration"), violates=(f"{GATES_BASE}[0]",), release="1.5"),
    ),
)
