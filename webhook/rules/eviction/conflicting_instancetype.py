"""A VM must not set a field that its instancetype sets."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.kubevirt.expansion.conflicts import ANY_MEMORY
from webhook.objects.path import dotted
from webhook.rules.example import instancetype
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation

_SMALL = "{instancetype: {name: small}}"
_MEMORY = (
    "Remove domain.memory from the VM's template: KubeVirt up to 1.6 rejects any domain.memory beside an instancetype."
)


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    for conflict in facts.conflicts:
        path = dotted(conflict.path)
        yield Violation(
            conflict.path,
            f"{path} is set by the VM and by its instancetype, so KubeVirt rejects the VM",
            path,
            remedy=_MEMORY if "domain.memory" in path and facts.releases & ANY_MEMORY else "",
            releases=conflict.releases,
        )


RULE = Rule(
    id="LM506",
    name="conflict-with-instancetype",
    about=About.VMI,
    severity=Severity.WARNING,
    summary="The VM and its instancetype set the same field.",
    rationale="KubeVirt rejects such a VM, so whether it can be live-migrated is undefined.",
    remediation="Remove the field from the VM's template, or use another instancetype.",
    source="pkg/instancetype/apply, v1.5.3 to v1.9.0; pkg/instancetype/instancetype.go, v1.3.1 and v1.4.1",
    reference="https://kubevirt.io/user-guide/user_workloads/instancetypes/",
    check=check,
    examples=(
        Example(
            "an instancetype without a CPU model",
            "{domain: {devices: {}, cpu: {model: Skylake-Server}}}",
            vm_spec=_SMALL,
            world=(instancetype("small"),),
        ),
        Example(
            "a VM that leaves CPU and memory to its instancetype",
            "{domain: {devices: {}}}",
            vm_spec=_SMALL,
            world=(instancetype("small"),),
        ),
        Example(
            "huge pages that only the VM sets, in KubeVirt 1.9",
            "{domain: {devices: {}, memory: {hugepages: {pageSize: 2Mi}}}}",
            vm_spec=_SMALL,
            world=(instancetype("small"),),
        ),
        Example("a VM without an instancetype", "{domain: {devices: {}, memory: {guest: 2Gi}}}"),
        Example(
            "the CPU model in the VM and in the instancetype",
            "{domain: {devices: {}, cpu: {model: Skylake-Server}}}",
            vm_spec=_SMALL,
            world=(instancetype("small", cpu={"guest": 1, "model": "Haswell"}),),
            violates=("spec.template.spec.domain.cpu.model",),
        ),
        Example(
            "the memory, which every instancetype sets",
            "{domain: {devices: {}, memory: {guest: 2Gi}}}",
            vm_spec=_SMALL,
            world=(instancetype("small"),),
            violates=("spec.template.spec.domain.memory.guest",),
        ),
        Example(
            "memory without a size, beside an instancetype, in KubeVirt 1.6",
            "{domain: {devices: {}, memory: {}}}",
            vm_spec=_SMALL,
            world=(instancetype("small"),),
            violates=("spec.template.spec.domain.memory",),
            release="1.6",
        ),
        Example(
            "a node selector in the VM and in the instancetype",
            "{domain: {devices: {}}, nodeSelector: {zone: a}}",
            vm_spec=_SMALL,
            world=(instancetype("small", nodeSelector={"gpu": "yes"}),),
            violates=("spec.template.spec.nodeSelector",),
        ),
        Example(
            "the number of cores, which every instancetype sets",
            "{domain: {devices: {}, cpu: {cores: 2}}}",
            vm_spec=_SMALL,
            world=(instancetype("small"),),
            violates=("spec.template.spec.domain.cpu.cores",),
        ),
    ),
)
