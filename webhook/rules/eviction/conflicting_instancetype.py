"""What the instancetype sets, the VM must leave alone."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.objects.path import dotted
from webhook.rules.example import instancetype
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
    examples=(
        Example(
            "an instancetype that leaves the CPU model to the VM",
            "{domain: {devices: {}, cpu: {model: Skylake-Server}}}",
            machine="{instancetype: {name: small}}",
            world=(instancetype("small"),),
        ),
        Example(
            "the CPU model on both sides",
            "{domain: {devices: {}, cpu: {model: Skylake-Server}}}",
            machine="{instancetype: {name: small}}",
            world=(instancetype("small", cpu={"guest": 1, "model": "Haswell"}),),
            violates=("spec.template.spec.domain.cpu.model",),
        ),
        Example(
            "memory, which every instancetype sets",
            "{domain: {devices: {}, memory: {guest: 2Gi}}}",
            machine="{instancetype: {name: small}}",
            world=(instancetype("small"),),
            violates=("spec.template.spec.domain.memory.guest",),
        ),
    ),
)
