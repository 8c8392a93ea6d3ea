"""bandwidthPerMigration is below 1Mi and is raised to it."""

from collections.abc import Iterator

from webhook.facts.settings import SettingsFacts
from webhook.kubevirt.settings.settings import BANDWIDTH, written
from webhook.rules.rule import About, Example, Outcome, Rule, Severity
from webhook.rules.settings._bandwidth import raised_problem
from webhook.rules.settings._words import SETTINGS_GUIDE, cr, setting, spot


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    values = written(facts.migrations)
    if (found := raised_problem(values)) is not None:
        yield setting(BANDWIDTH, values[BANDWIDTH], found)


RULE = Rule(
    id="LM606",
    name="bandwidth-raised",
    about=About.SETTINGS,
    severity=Severity.WARNING,
    summary="bandwidthPerMigration is below 1Mi and is raised to it.",
    rationale=(
        "KubeVirt hands whole MiB per second to libvirt: from one byte on, what is less than 1Mi becomes 1Mi, and "
        "halves are rounded up."
    ),
    remediation="Write at least 1Mi, or 0 for no limit.",
    source="pkg/virt-launcher/virtwrap/converter/vcpu/vcpu.go QuantityToMebiByte, v1.9.0",
    reference=SETTINGS_GUIDE,
    check=check,
    examples=(
        Example("one mebibyte", cr("bandwidthPerMigration: 1Mi")),
        Example("half of one", cr("bandwidthPerMigration: 512Ki"), violates=(spot("bandwidthPerMigration"),)),
        Example("kilobytes", cr("bandwidthPerMigration: 64k"), violates=(spot("bandwidthPerMigration"),)),
    ),
)
