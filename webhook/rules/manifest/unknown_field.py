"""A field that KubeVirt's API does not have has no effect."""

from collections.abc import Iterator

from webhook.facts.manifest import ManifestFacts
from webhook.objects.path import dotted
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation

_VM = "{{apiVersion: kubevirt.io/v1, kind: VirtualMachine, metadata: {{name: vm}}, spec: {{template: {{{}}}}}}}"
LONGEST = 60


def check(facts: ManifestFacts) -> Iterator[Outcome]:
    for field in facts.fields:
        name = field.name if len(field.name) <= LONGEST else f"{field.name[:LONGEST]}…"
        remedy = ""
        if field.meant:
            remedy = f"Write {field.meant}."
        elif field.belongs:
            remedy = f"Move the field to {dotted(field.belongs)}."
        yield Violation(field.path, f"unknown field {name!a} has no effect", f"field {name}", remedy)


RULE = Rule(
    id="LM803",
    name="unknown-field",
    about=About.MANIFEST,
    severity=Severity.WARNING,
    summary="A field is misspelt, or is at the wrong level.",
    rationale=(
        "`kubectl apply` rejects an unknown field by default. For other clients, the API server drops the field "
        "without an error. Below template.metadata, the API server keeps the field, and KubeVirt ignores it."
    ),
    remediation="Correct the name, move the field to the right level, or remove the field.",
    source="KubeVirt's OpenAPI, 1.3 to 1.9 together; apiextensions-apiserver's pruning, Kubernetes v1.34",
    reference="https://kubevirt.io/api-reference/",
    check=check,
    examples=(
        Example("known fields", _VM.format("spec: {evictionStrategy: LiveMigrate, domain: {devices: {}}}")),
        Example(
            "a capital letter too many",
            _VM.format("spec: {EvictionStrategy: LiveMigrate, domain: {devices: {}}}"),
            violates=("spec.template.spec.EvictionStrategy",),
        ),
        Example(
            "a field that is one level too high",
            _VM.format("evictionStrategy: LiveMigrate, spec: {domain: {devices: {}}}"),
            violates=("spec.template.evictionStrategy",),
        ),
        Example(
            "a missing letter",
            _VM.format("spec: {domain: {devices: {interfaces: [{name: default, masquerad: {}}]}}}"),
            violates=("spec.template.spec.domain.devices.interfaces[0].masquerad",),
        ),
        Example(
            "a list field in the singular",
            _VM.format("spec: {domain: {devices: {disk: [{name: os, disk: {}}]}}}"),
            violates=("spec.template.spec.domain.devices.disk",),
        ),
        Example(
            "a label, which can have any name",
            _VM.format("metadata: {labels: {anything: goes}}, spec: {domain: {devices: {}}}"),
        ),
        Example("a kind of another API", "{apiVersion: apps/v1, kind: Deployment, spec: {replica: 1}}"),
    ),
)
