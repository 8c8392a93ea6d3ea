"""KubeVirt does not copy the annotations of a VirtualMachine to its VMI."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.kubevirt.expansion.interfaces import BRIDGE_OVERRIDE as OVERRIDE
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Severity, Violation

_BRIDGE = "{domain: {devices: {interfaces: [{name: default, bridge: {}}]}}, networks: [{name: default, pod: {}}]}"
_MASQUERADE = (
    "{domain: {devices: {interfaces: [{name: default, masquerade: {}}]}}, networks: [{name: default, pod: {}}]}"
)
_PLACE = f"metadata.annotations[{OVERRIDE}]"


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    if facts.base != ("spec",) and OVERRIDE in facts.outer_annotations and OVERRIDE not in facts.annotations:
        yield Violation(
            ("metadata", "annotations", OVERRIDE),
            f"annotation {OVERRIDE} is on the {facts.kind}, where KubeVirt ignores it, so it does not allow live migration",
            "annotation",
            remedy=f"Move the annotation to {'.'.join(map(str, facts.base[:-1]))}.metadata.annotations.",
        )


RULE = Rule(
    id="LM105",
    name="bridge-annotation-misplaced",
    about=About.VMI,
    severity=Severity.WARNING,
    summary="The annotation that allows live migration with bridge binding is in the wrong metadata.",
    rationale=(
        "KubeVirt copies the labels and annotations of a VirtualMachine's template to the VMI. KubeVirt does not copy "
        "the labels and annotations of the VirtualMachine itself."
    ),
    remediation="Move the annotation to spec.template.metadata.annotations.",
    source="pkg/virt-controller/watch/vm/vm.go setupVMIFromVM, v1.9.0",
    reference=MIGRATION_GUIDE,
    check=check,
    examples=(
        Example("the annotation on the VMI or the template", _BRIDGE, annotations={OVERRIDE: ""}),
        Example(
            "the annotation on the VirtualMachine and on its template",
            _BRIDGE,
            annotations={OVERRIDE: ""},
            outer_annotations={OVERRIDE: ""},
        ),
        Example(
            "another annotation on the VirtualMachine", _MASQUERADE, outer_annotations={"example.com/owner": "web"}
        ),
        Example(
            "the annotation on the VirtualMachine, with masquerade binding",
            _MASQUERADE,
            outer_annotations={OVERRIDE: ""},
            violates=(_PLACE,),
        ),
        Example(
            "the annotation on the VirtualMachine, with bridge binding",
            _BRIDGE,
            outer_annotations={OVERRIDE: ""},
            violates=(_PLACE,),
        ),
        Example(
            "another annotation on the template",
            _BRIDGE,
            annotations={"example.com/owner": "web"},
            outer_annotations={OVERRIDE: "true"},
            violates=(_PLACE,),
        ),
    ),
)
