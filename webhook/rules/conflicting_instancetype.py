"""What the instancetype sets, the VM must leave alone."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.objects.path import dotted
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    for path in facts.conflicts:
        yield Violation(path, f"{dotted(path)} is set by the VM and by its instancetype", dotted(path))


RULE = Rule(
    id="LM506",
    name="conflict-with-instancetype",
    about=About.VMI,
    severity=Severity.WARNING,
    summary="The VM and its instancetype set the same field.",
    rationale="KubeVirt refuses such a VM, so what would run cannot be said.",
    remediation="Remove the field from the VM's template, or use another instancetype.",
    source="pkg/instancetype/apply, v1.9.0",
    reference="https://kubevirt.io/user-guide/user_workloads/instancetypes/",
    check=check,
    examples=(Example("a VM without an instancetype", "{domain: {devices: {}}}"),),
)
