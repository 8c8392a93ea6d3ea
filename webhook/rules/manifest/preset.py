"""A VirtualMachineInstancePreset changes new VMIs, and Migratable does not apply presets."""

from collections.abc import Iterator

from webhook.facts.manifest import ManifestFacts
from webhook.objects.kinds import KUBEVIRT_GROUP, group_of
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation

PRESET = "VirtualMachineInstancePreset"


def check(facts: ManifestFacts) -> Iterator[Outcome]:
    if facts.kind == PRESET and group_of(facts.api_version) == KUBEVIRT_GROUP:
        yield Violation(
            ("kind",),
            "KubeVirt merges this preset into new VMIs, but Migratable judges VMIs without presets",
            f"kind {PRESET}",
        )


RULE = Rule(
    id="LM802",
    name="preset-not-followed",
    about=About.MANIFEST,
    severity=Severity.WARNING,
    summary="A VirtualMachineInstancePreset can change VMIs, and verdicts do not include the change.",
    rationale=(
        "A preset can add a CPU model, Hyper-V features or launch security to every VMI that its selector matches. Presets "
        "are deprecated since KubeVirt 0.57, so Migratable does not apply them."
    ),
    remediation="Use an instancetype and a preference instead. Migratable applies both.",
    source="pkg/virt-api/webhooks/mutating-webhook/mutators/preset.go, v1.9.0",
    reference="https://kubevirt.io/user-guide/user_workloads/presets/",
    check=check,
    examples=(
        Example("a preset", f"{{apiVersion: kubevirt.io/v1, kind: {PRESET}}}", violates=("kind",)),
        Example("a preset of v1alpha3", f"{{apiVersion: kubevirt.io/v1alpha3, kind: {PRESET}}}", violates=("kind",)),
        Example(
            "a preset that sets a CPU model",
            f"{{apiVersion: kubevirt.io/v1, kind: {PRESET}, spec: {{domain: {{cpu: {{model: Haswell}}}}}}}}",
            violates=("kind",),
        ),
        Example("a preference", "{apiVersion: instancetype.kubevirt.io/v1beta1, kind: VirtualMachinePreference}"),
        Example("an instancetype", "{apiVersion: instancetype.kubevirt.io/v1beta1, kind: VirtualMachineInstancetype}"),
        Example("the same kind in another group", f"{{apiVersion: example.com/v1, kind: {PRESET}}}"),
    ),
)
