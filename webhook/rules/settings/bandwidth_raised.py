"""KubeVirt raises a bandwidthPerMigration below 1Mi to 1Mi."""

from collections.abc import Iterator

from webhook.facts.settings import MIGRATIONS, SettingsFacts
from webhook.kubevirt.settings.settings import written
from webhook.rules.rule import About, Example, Outcome, Rule, Severity
from webhook.rules.settings._bandwidth import raised_bandwidth
from webhook.rules.settings._setting import SETTINGS_GUIDE, cr, setting_path


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    yield from raised_bandwidth(MIGRATIONS, written(facts.migrations))


RULE = Rule(
    id="LM606",
    name="bandwidth-raised",
    about=About.SETTINGS,
    severity=Severity.WARNING,
    summary="bandwidthPerMigration is below 1Mi, and KubeVirt raises it to 1Mi.",
    rationale=(
        "KubeVirt gives libvirt whole MiB per second. Any value from one byte to 1Mi becomes 1Mi. Larger values are "
        "rounded to the nearest MiB, and halves are rounded up."
    ),
    remediation="Write at least 1Mi, or 0 for no limit.",
    source="pkg/virt-launcher/virtwrap/converter/vcpu/vcpu.go QuantityToMebiByte, v1.9.0",
    reference=SETTINGS_GUIDE,
    check=check,
    examples=(
        Example("one mebibyte", cr("bandwidthPerMigration: 1Mi")),
        Example("more than one mebibyte", cr("bandwidthPerMigration: 1536Ki")),
        Example("no limit", cr("bandwidthPerMigration: 0")),
        Example("one kibibyte", cr("bandwidthPerMigration: 1Ki"), violates=(setting_path("bandwidthPerMigration"),)),
        Example(
            "half a mebibyte", cr("bandwidthPerMigration: 512Ki"), violates=(setting_path("bandwidthPerMigration"),)
        ),
        Example("kilobytes", cr("bandwidthPerMigration: 64k"), violates=(setting_path("bandwidthPerMigration"),)),
    ),
)
