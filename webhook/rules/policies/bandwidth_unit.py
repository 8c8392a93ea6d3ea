"""A policy's bandwidth below 1Mi was meant in another unit."""

from collections.abc import Iterator

from webhook.facts.policy import PolicyFacts
from webhook.kubevirt.settings.settings import BANDWIDTH
from webhook.rules.policies._policy import policy, setting, sound
from webhook.rules.rule import About, Example, Outcome, Rule, Severity
from webhook.rules.settings._bandwidth import raised_problem, unit_problem
from webhook.rules.settings._words import POLICY_GUIDE


def check(facts: PolicyFacts) -> Iterator[Outcome]:
    values = sound(facts)
    if (found := unit_problem(values)) is not None:
        yield setting(BANDWIDTH, values[BANDWIDTH], *found)
    elif (message := raised_problem(values)) is not None:
        yield setting(BANDWIDTH, values[BANDWIDTH], message)


RULE = Rule(
    id="LM639",
    name="policy-bandwidth-raised",
    about=About.POLICY,
    severity=Severity.WARNING,
    summary="A policy's bandwidthPerMigration is below 1Mi and is raised to it.",
    rationale="A number without suffix is bytes per second. KubeVirt hands at least 1 MiB per second to libvirt.",
    remediation="Write the unit: 64Mi; or 0 for no limit.",
    source="pkg/virt-launcher/virtwrap/converter/vcpu/vcpu.go QuantityToMebiByte, v1.9.0",
    reference=POLICY_GUIDE,
    check=check,
    examples=(
        Example("with a unit", policy("bandwidthPerMigration: 64Mi")),
        Example("a plain number", policy("bandwidthPerMigration: 64"), violates=("bandwidthPerMigration",)),
        Example("kibibytes", policy("bandwidthPerMigration: 512Ki"), violates=("bandwidthPerMigration",)),
    ),
)
