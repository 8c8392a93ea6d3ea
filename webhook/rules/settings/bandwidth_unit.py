"""A bandwidthPerMigration without a unit is a number of bytes, which is hardly ever intended."""

from collections.abc import Iterator

from webhook.facts.settings import MIGRATIONS, SettingsFacts
from webhook.kubevirt.settings.settings import written
from webhook.rules.rule import About, Example, Outcome, Rule, Severity
from webhook.rules.settings._bandwidth import bandwidth_without_unit
from webhook.rules.settings._setting import SETTINGS_GUIDE, cr, setting_path


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    yield from bandwidth_without_unit(MIGRATIONS, written(facts.migrations))


RULE = Rule(
    id="LM607",
    name="bandwidth-without-unit",
    about=About.SETTINGS,
    severity=Severity.WARNING,
    summary="bandwidthPerMigration is a small number of bytes, probably because the unit is missing.",
    rationale=(
        "A number without a suffix means bytes per second. KubeVirt raises such a number to 1Mi, at which a GiB takes "
        "17 minutes. The suffix m means thousandths. For example, 64m is less than one byte, which KubeVirt treats as "
        "no limit."
    ),
    remediation="Write the unit, such as 64Mi.",
    source="pkg/virt-launcher/virtwrap/converter/vcpu/vcpu.go QuantityToMebiByte, v1.9.0",
    reference=SETTINGS_GUIDE,
    check=check,
    examples=(
        Example("with a unit", cr("bandwidthPerMigration: 64Mi")),
        Example("many bytes", cr("bandwidthPerMigration: 67108864")),
        Example("no limit", cr("bandwidthPerMigration: 0")),
        Example(
            "a number without a unit",
            cr("bandwidthPerMigration: 64"),
            violates=(setting_path("bandwidthPerMigration"),),
        ),
        Example("m for Mi", cr("bandwidthPerMigration: 64m"), violates=(setting_path("bandwidthPerMigration"),)),
        Example("u for Mi", cr("bandwidthPerMigration: 64u"), violates=(setting_path("bandwidthPerMigration"),)),
    ),
)
