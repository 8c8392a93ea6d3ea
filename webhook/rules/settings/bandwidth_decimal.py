"""bandwidthPerMigration is written in a decimal unit."""

from collections.abc import Iterator

from webhook.facts.settings import MIGRATIONS, SettingsFacts
from webhook.kubevirt.settings.settings import written
from webhook.rules.rule import About, Example, Outcome, Rule, Severity
from webhook.rules.settings._bandwidth import decimal_bandwidth
from webhook.rules.settings._setting import SETTINGS_GUIDE, cr, setting_path


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    yield from decimal_bandwidth(MIGRATIONS, written(facts.migrations))


RULE = Rule(
    id="LM608",
    name="decimal-bandwidth",
    about=About.SETTINGS,
    severity=Severity.INFO,
    summary="bandwidthPerMigration is written in a decimal unit.",
    rationale=(
        "M is 1000 x 1000 bytes and Mi is 1024 x 1024. KubeVirt counts in whole MiB per second and rounds 64M to 61Mi."
    ),
    remediation="Write a binary suffix, such as 64Mi, if you mean MiB.",
    source="pkg/virt-launcher/virtwrap/converter/vcpu/vcpu.go QuantityToMebiByte, v1.9.0",
    reference=SETTINGS_GUIDE,
    check=check,
    examples=(
        Example("a binary unit", cr("bandwidthPerMigration: 64Mi")),
        Example("no unit", cr("bandwidthPerMigration: 67108864")),
        Example("no limit", cr("bandwidthPerMigration: 0")),
        Example("megabytes", cr("bandwidthPerMigration: 64M"), violates=(setting_path("bandwidthPerMigration"),)),
        Example("gigabytes", cr("bandwidthPerMigration: 1G"), violates=(setting_path("bandwidthPerMigration"),)),
        Example("kilobytes", cr("bandwidthPerMigration: 64000k"), violates=(setting_path("bandwidthPerMigration"),)),
    ),
)
