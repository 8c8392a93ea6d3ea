"""A field has no effect in releases that do not have it."""

from collections.abc import Iterator
from typing import Final

from webhook.facts.manifest import ManifestFacts
from webhook.kubevirt.releases import Release, Releases, before, newest, since
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation

LAST_ADDITION: Final = Release(1, 9)
"""The last release that added a field."""
_HAVE_ALL: Final[Releases] = since(LAST_ADDITION)


def check(facts: ManifestFacts) -> Iterator[Outcome]:
    if facts.releases & _HAVE_ALL:
        return
    from webhook.kubevirt.schema.new_fields import new_fields  # noqa: PLC0415 - only for older releases

    for path, first, value in new_fields(facts.kind, facts.raw, facts.releases):
        older = f"KubeVirt {newest(before(first)).release} and earlier"
        message = f"{older} have no field {path[-1]}, so it has no effect"
        remedy = f"Remove the field, or use KubeVirt {first} or later."
        if value:
            message = f"{older} have no {path[-1]} {value}, and reject the object"
            remedy = f"Write another {path[-1]}, or use KubeVirt {first} or later."
        yield Violation(path, message, f"field {path[-1]}", remedy, before(first))


_VM = "{{apiVersion: kubevirt.io/v1, kind: VirtualMachine, metadata: {{name: vm}}, spec: {{{}template: {{spec: {{{}}}}}}}}}"
_MIGRATION = _VM.format("updateVolumesStrategy: Migration, ", "")
_MASQUERADE = _VM.format(
    "", "domain: {devices: {interfaces: [{name: default, masquerade: {}}, {name: a, passtBinding: {}}]}}"
)
_CR = "{{apiVersion: kubevirt.io/v1, kind: KubeVirt, spec: {{configuration: {{{}}}}}}}"
RULE = Rule(
    id="LM812",
    name="field-too-new",
    about=About.MANIFEST,
    severity=Severity.WARNING,
    summary="A field is newer than this KubeVirt release.",
    rationale=(
        "The API server of an older release does not know the field. `kubectl apply` rejects the manifest by default. For "
        "other clients, the API server drops the field without an error. Without a known release, nothing is reported."
    ),
    remediation="Remove the field until the cluster runs a release that has it.",
    source="api/openapi-spec/swagger.json, v1.0.1 to v1.9.0",
    reference="https://kubevirt.io/api-reference/",
    check=check,
    examples=(
        Example("volume migration in 1.3", _MIGRATION, release="1.3"),
        Example("volume migration, and any release", _MIGRATION),
        Example("a field of all releases in 1.0", _VM.format("", "evictionStrategy: LiveMigrate"), release="1.0"),
        Example("a field without a value in 1.2", _VM.format("updateVolumesStrategy: null, ", ""), release="1.2"),
        Example("volume migration in 1.2", _MIGRATION, violates=("spec.updateVolumesStrategy",), release="1.2"),
        Example(
            "run strategy WaitAsReceiver in 1.5",
            _VM.format("runStrategy: WaitAsReceiver, ", ""),
            violates=("spec.runStrategy",),
            release="1.5",
        ),
        Example("run strategy WaitAsReceiver in 1.6", _VM.format("runStrategy: WaitAsReceiver, ", ""), release="1.6"),
        Example(
            "passtBinding in 1.7",
            _MASQUERADE,
            violates=("spec.template.spec.domain.devices.interfaces[1].passtBinding",),
            release="1.7",
        ),
        Example(
            "disabledFeatureGates of the KubeVirt CR in 1.7",
            _CR.format("developerConfiguration: {disabledFeatureGates: [x]}"),
            violates=("spec.configuration.developerConfiguration.disabledFeatureGates",),
            release="1.7",
        ),
    ),
)
