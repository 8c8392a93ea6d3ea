"""KubeVirt raises a policy's bandwidth below 1 MiB per second to 1 MiB per second."""

from collections.abc import Iterator

from webhook.facts.policy import PolicyFacts
from webhook.rules.policies._policy import BASE, policy, well_typed_settings
from webhook.rules.rule import About, Example, Outcome, Rule, Severity
from webhook.rules.settings._bandwidth import bandwidth_without_unit, raised_bandwidth
from webhook.rules.settings._setting import POLICY_GUIDE


def check(facts: PolicyFacts) -> Iterator[Outcome]:
    values = well_typed_settings(facts)
    yield from bandwidth_without_unit(BASE, values)
    yield from raised_bandwidth(BASE, values)


RULE = Rule(
    id="LM639",
    name="policy-bandwidth-raised",
    about=About.POLICY,
    severity=Severity.WARNING,
    summary="A policy's bandwidthPerMigration is below 1Mi, and KubeVirt raises it to 1Mi.",
    rationale=(
        "A number without a suffix means bytes per second. KubeVirt raises a bandwidth below 1 MiB per second to 1 MiB per "
        "second."
    ),
    remediation="Write the unit, such as 64Mi, or 0 for no limit.",
    source="pkg/virt-launcher/virtwrap/converter/vcpu/vcpu.go QuantityToMebiByte, v1.9.0",
    reference=POLICY_GUIDE,
    check=check,
    examples=(
        Example("with a unit", policy("bandwidthPerMigration: 64Mi")),
        Example("many bytes", policy("bandwidthPerMigration: 67108864")),
        Example("no limit", policy("bandwidthPerMigration: 0")),
        Example("a number without a unit", policy("bandwidthPerMigration: 64"), violates=("bandwidthPerMigration",)),
        Example("m for Mi", policy("bandwidthPerMigration: 64m"), violates=("bandwidthPerMigration",)),
        Example("kibibytes", policy("bandwidthPerMigration: 512Ki"), violates=("bandwidthPerMigration",)),
    ),
)
