"""bandwidthPerMigration is written in a decimal unit."""

from collections.abc import Iterator

from webhook.facts.settings import SettingsFacts
from webhook.kubevirt.settings.settings import BANDWIDTH, written
from webhook.rules.rule import About, Example, Outcome, Rule, Severity
from webhook.rules.settings._bandwidth import decimal_problem
from webhook.rules.settings._words import SETTINGS_GUIDE, cr, setting, spot


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    values = written(facts.migrations)
    if (found := decimal_problem(values)) is not None:
        yield setting(BANDWIDTH, values[BANDWIDTH], *found)


RULE = Rule(
    id="LM608",
    name="decimal-bandwidth",
    about=About.SETTINGS,
    severity=Severity.INFO,
    summary="bandwidthPerMigration is written in a decimal unit.",
    rationale=(
        "M is 1000 x 1000 bytes and Mi is 1024 x 1024: 64M is rounded to 61Mi. KubeVirt counts in whole MiB per second."
    ),
    remediation="Write the binary suffix, such as 64Mi, if that is what you mean.",
    source="pkg/virt-launcher/virtwrap/converter/vcpu/vcpu.go QuantityToMebiByte, v1.9.0",
    reference=SETTINGS_GUIDE,
    check=check,
    examples=(
        Example("binary", cr("bandwidthPerMigration: 64Mi")),
        Example("decimal", cr("bandwidthPerMigration: 64M"), violates=(spot("bandwidthPerMigration"),)),
    ),
)
