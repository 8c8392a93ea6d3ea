"""The API server refuses a bandwidth that is not a quantity. With a negative bandwidth, every migration fails."""

from collections.abc import Iterator

from webhook.facts.settings import MIGRATIONS, SettingsFacts
from webhook.kubevirt.settings.settings import written
from webhook.rules.rule import About, Example, Outcome, Rule
from webhook.rules.settings._bandwidth import refused_bandwidth
from webhook.rules.settings._setting import cr, setting_path


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    yield from refused_bandwidth(MIGRATIONS, written(facts.migrations))


RULE = Rule(
    id="LM605",
    name="bandwidth-not-a-quantity",
    about=About.SETTINGS,
    summary="bandwidthPerMigration is not a quantity, or is negative.",
    rationale=(
        "The API server refuses text that is not a quantity. KubeVirt accepts a negative bandwidth, but every "
        "migration then fails."
    ),
    remediation="Write bytes per second with a binary suffix, such as 64Mi, or 0 for no limit.",
    source="k8s.io/apimachinery pkg/api/resource/quantity.go ParseQuantity, v0.34.2; QuantityToMebiByte, KubeVirt v1.9.0",
    reference="https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/",
    check=check,
    examples=(
        Example("mebibytes", cr("bandwidthPerMigration: 64Mi")),
        Example("no limit", cr("bandwidthPerMigration: 0Mi")),
        Example("bytes without a unit", cr("bandwidthPerMigration: 67108864")),
        Example(
            "an unknown unit", cr("bandwidthPerMigration: 64MB"), violates=(setting_path("bandwidthPerMigration"),)
        ),
        Example(
            "a space before the unit",
            cr('bandwidthPerMigration: "64 Mi"'),
            violates=(setting_path("bandwidthPerMigration"),),
        ),
        Example("negative", cr("bandwidthPerMigration: -1Mi"), violates=(setting_path("bandwidthPerMigration"),)),
    ),
)
