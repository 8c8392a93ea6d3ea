"""KubeVirt reads annotations of the VMI, and those of a VirtualMachine do not reach it."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.kubevirt.expansion.interfaces import BRIDGE_OVERRIDE as OVERRIDE
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Severity, Violation


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    if facts.base != ("spec",) and OVERRIDE in facts.outer_annotations and OVERRIDE not in facts.annotations:
        yield Violation(
            ("metadata", "annotations", OVERRIDE),
            f"annotation {OVERRIDE} stands on the {facts.kind}, where KubeVirt does not look",
            "annotation",
            remedy=f"Move it to {'.'.join(map(str, facts.base[:-1]))}.metadata.annotations.",
        )


RULE = Rule(
    id="LM105",
    name="bridge-annotation-misplaced",
    about=About.VMI,
    severity=Severity.WARNING,
    summary="The annotation that allows bridge migration stands in the wrong metadata.",
    rationale="Labels and annotations of a VirtualMachine are not carried over to its VMI; those of its template are.",
    remediation="Move it to spec.template.metadata.annotations.",
    source="pkg/virt-controller/watch/vm/vm.go setupVMIFromVM, v1.9.0",
    reference=MIGRATION_GUIDE,
    check=check,
    examples=(
        Example(
            "the annotation where KubeVirt reads it",
            "{domain: {devices: {interfaces: [{name: default, bridge: {}}]}}, networks: [{name: default, pod: {}}]}",
            annotations={OVERRIDE: ""},
        ),
        Example(
            "the annotation on the VirtualMachine",
            "{domain: {devices: {interfaces: [{name: default, masquerade: {}}]}}, networks: [{name: default, pod: {}}]}",
            outer_annotations={OVERRIDE: ""},
            violates=("metadata.annotations[kubevirt.io/allow-pod-bridge-network-live-migration]",),
        ),
    ),
)
