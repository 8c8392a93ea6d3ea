"""A word that a field does not take."""

from collections.abc import Iterator

from webhook.facts.manifest import ManifestFacts
from webhook.objects.shown import shown
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation

_VM = "{{apiVersion: kubevirt.io/v1, kind: VirtualMachine, metadata: {{name: vm}}, spec: {{{}}}}}"


def check(facts: ManifestFacts) -> Iterator[Outcome]:
    for each in facts.values:
        field = next(step for step in reversed(each.path) if isinstance(step, str))
        allowed = ", ".join(each.allowed)
        remedy = f"Write {each.meant}; possible are {allowed}." if each.meant else f"Write one of {allowed}."
        yield Violation(each.path, f"{field} does not take {shown(each.value)}", f"{field} {each.value}", remedy)


RULE = Rule(
    id="LM804",
    name="unknown-value",
    about=About.MANIFEST,
    severity=Severity.WARNING,
    summary="A field holds a word that it does not take.",
    rationale="Values are compared letter by letter, also by case; KubeVirt or the API server refuses others.",
    remediation="Write one of the values that the field takes.",
    source="staging/src/kubevirt.io/api/core/v1/types.go and vmi-create-admitter.go, v1.9.0",
    reference="https://kubevirt.io/api-reference/",
    check=check,
    examples=(
        Example("a known value", _VM.format("runStrategy: Always")),
        Example("all in lower case", _VM.format("runStrategy: always"), violates=("spec.runStrategy",)),
        Example(
            "an access mode of a template that does not exist",
            _VM.format("dataVolumeTemplates: [{metadata: {name: os}, spec: {storage: {accessModes: [ReadWriteAll]}}}]"),
            violates=("spec.dataVolumeTemplates[0].spec.storage.accessModes[0]",),
        ),
    ),
)
