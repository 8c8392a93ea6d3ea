"""Presets change VMIs behind their manifests' back, and are not followed here."""

from collections.abc import Iterator

from webhook.facts.manifest import ManifestFacts
from webhook.objects.kinds import KUBEVIRT_GROUP, group_of
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation

PRESET = "VirtualMachineInstancePreset"


def check(facts: ManifestFacts) -> Iterator[Outcome]:
    if facts.kind == PRESET and group_of(facts.api_version) == KUBEVIRT_GROUP:
        yield Violation(
            ("kind",),
            "KubeVirt merges presets into new VMIs by label, and Migratable judges VMIs without them",
            f"kind {PRESET}",
        )


RULE = Rule(
    id="LM802",
    name="preset-not-followed",
    about=About.MANIFEST,
    severity=Severity.WARNING,
    summary="A VirtualMachineInstancePreset may change VMIs, and verdicts do not know.",
    rationale=(
        "A preset can bring a CPU model, Hyper-V features or launch security to every VMI that its selector matches. Presets "
        "are deprecated since KubeVirt 0.57, so Migratable does not follow them: its verdicts are those of the VMIs as written."
    ),
    remediation="Use an instancetype and a preference instead, which Migratable follows.",
    source="pkg/virt-api/webhooks/mutating-webhook/mutators/preset.go, v1.9.0",
    reference="https://kubevirt.io/user-guide/user_workloads/presets/",
    check=check,
    examples=(
        Example("a preset", f"{{apiVersion: kubevirt.io/v1, kind: {PRESET}}}", violates=("kind",)),
        Example("a preference", "{apiVersion: instancetype.kubevirt.io/v1beta1, kind: VirtualMachinePreference}"),
    ),
)
