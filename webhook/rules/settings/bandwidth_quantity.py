"""Bandwidth is a quantity of bytes per second, and not less than nothing."""

from collections.abc import Iterator

from webhook.facts.settings import SettingsFacts
from webhook.kubevirt.settings.settings import BANDWIDTH, written
from webhook.rules.rule import About, Example, Outcome, Rule
from webhook.rules.settings._bandwidth import quantity_problem
from webhook.rules.settings._words import cr, setting, spot


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    values = written(facts.migrations)
    if (message := quantity_problem(values)) is not None:
        yield setting(BANDWIDTH, values[BANDWIDTH], message)


RULE = Rule(
    id="LM605",
    name="bandwidth-not-a-quantity",
    about=About.SETTINGS,
    summary="bandwidthPerMigration is not a quantity, or is negative.",
    rationale="The API server refuses what is not a quantity. KubeVirt accepts a negative bandwidth; every migration then fails.",
    remediation="Write bytes per second with a binary suffix, such as 64Mi, or 0 for no limit.",
    source="k8s.io/apimachinery pkg/api/resource/quantity.go ParseQuantity, v0.34.2; QuantityToMebiByte, KubeVirt v1.9.0",
    reference="https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/",
    check=check,
    examples=(
        Example("mebibytes", cr("bandwidthPerMigration: 64Mi")),
        Example("unlimited", cr("bandwidthPerMigration: 0Mi")),
        Example("a unit that is none", cr("bandwidthPerMigration: 64MB"), violates=(spot("bandwidthPerMigration"),)),
        Example("a blank", cr('bandwidthPerMigration: "64 Mi"'), violates=(spot("bandwidthPerMigration"),)),
        Example("negative", cr("bandwidthPerMigration: -1Mi"), violates=(spot("bandwidthPerMigration"),)),
    ),
)
