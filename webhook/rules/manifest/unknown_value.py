"""A field has a value that is not one of its valid values."""

from collections.abc import Iterator

from webhook.facts.manifest import ManifestFacts
from webhook.objects.shown import shown
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation

_VM = "{{apiVersion: kubevirt.io/v1, kind: VirtualMachine, metadata: {{name: vm}}, spec: {{{}}}}}"


def check(facts: ManifestFacts) -> Iterator[Outcome]:
    for strange in facts.values:
        field = next(step for step in reversed(strange.path) if isinstance(step, str))
        allowed = ", ".join(strange.allowed)
        remedy = (
            f"Write {strange.meant}; the valid values are {allowed}." if strange.meant else f"Write one of {allowed}."
        )
        yield Violation(
            strange.path, f"unknown value {shown(strange.value)} of field {field}", f"{field} {strange.value}", remedy
        )


RULE = Rule(
    id="LM804",
    name="unknown-value",
    about=About.MANIFEST,
    severity=Severity.WARNING,
    summary="A field has a value that is not one of its valid values.",
    rationale=(
        "Values are case-sensitive. KubeVirt or the API server rejects every other value. Placeholders, such as "
        "`${STRATEGY}`, are not judged."
    ),
    remediation="Write one of the field's valid values.",
    source="staging/src/kubevirt.io/api/core/v1/types.go and vmi-create-admitter.go, v1.9.0",
    reference="https://kubevirt.io/api-reference/",
    check=check,
    examples=(
        Example("a known value", _VM.format("runStrategy: Always")),
        Example("another known value", _VM.format("runStrategy: RerunOnFailure")),
        Example(
            "an access mode of a dataVolumeTemplate",
            _VM.format(
                "dataVolumeTemplates: [{metadata: {name: os}, spec: {storage: {accessModes: [ReadWriteMany]}}}]"
            ),
        ),
        Example("a placeholder", _VM.format("runStrategy: '${STRATEGY}'")),
        Example("lower case", _VM.format("runStrategy: always"), violates=("spec.runStrategy",)),
        Example("another word", _VM.format("runStrategy: Sometimes"), violates=("spec.runStrategy",)),
        Example(
            "an unknown access mode of a dataVolumeTemplate",
            _VM.format("dataVolumeTemplates: [{metadata: {name: os}, spec: {storage: {accessModes: [ReadWriteAll]}}}]"),
            violates=("spec.dataVolumeTemplates[0].spec.storage.accessModes[0]",),
        ),
    ),
)
