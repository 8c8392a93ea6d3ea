"""bandwidthPerMigration is a plain number of bytes that was meant as Mi."""

from collections.abc import Iterator

from webhook.facts.settings import SettingsFacts
from webhook.kubevirt.settings.settings import BANDWIDTH, written
from webhook.rules.rule import About, Example, Outcome, Rule, Severity
from webhook.rules.settings._bandwidth import unit_problem
from webhook.rules.settings._words import SETTINGS_GUIDE, cr, setting, spot


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    values = written(facts.migrations)
    if (found := unit_problem(values)) is not None:
        yield setting(BANDWIDTH, values[BANDWIDTH], *found)


RULE = Rule(
    id="LM607",
    name="bandwidth-without-unit",
    about=About.SETTINGS,
    severity=Severity.WARNING,
    summary="bandwidthPerMigration is a plain number of bytes that was meant as Mi.",
    rationale=(
        "A number without suffix is bytes per second, which KubeVirt raises to 1Mi, at which a GiB takes 17 minutes. A small m "
        "means thousandths: 64m is less than one byte, and that is no limit at all."
    ),
    remediation="Write the unit: 64Mi.",
    source="pkg/virt-launcher/virtwrap/converter/vcpu/vcpu.go QuantityToMebiByte, v1.9.0",
    reference=SETTINGS_GUIDE,
    check=check,
    examples=(
        Example("with a unit", cr("bandwidthPerMigration: 64Mi")),
        Example("bytes that are many enough", cr("bandwidthPerMigration: 67108864")),
        Example("a plain number", cr("bandwidthPerMigration: 64"), violates=(spot("bandwidthPerMigration"),)),
        Example("a small m", cr("bandwidthPerMigration: 64m"), violates=(spot("bandwidthPerMigration"),)),
    ),
)
