"""KubeVirt merges the instancetype and the preference into the VM, so both are needed to judge the VM."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.kubevirt.releases import KNOWN
from webhook.rules.example import instancetype
from webhook.rules.rule import About, Example, Outcome, Rule, Undetermined

_SMALL = "{instancetype: {name: small}}"


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    if facts.hidden is not None:
        subject = str(facts.hidden_path[-1])
        yield Undetermined(
            facts.hidden_path, facts.hidden.why, facts.hidden.settle, subject, unreadable=facts.hidden.unreadable
        )


RULE = Rule(
    id="LM505",
    name="unresolved-instancetype-or-preference",
    about=About.VMI,
    kubevirt=KNOWN,
    summary="The instancetype or preference of the VM is not available.",
    rationale=(
        "An instancetype can add GPUs, host devices and launch security. A preference can add bindings and CPU "
        "features. Each of these settings can decide whether the VM can be live-migrated. Instancetypes and "
        "preferences that KubeVirt itself deploys are known by release, and need not be provided."
    ),
    remediation="Provide the object, or correct the reference.",
    source="pkg/instancetype/find, v1.9.0; pkg/virt-operator/resource/generate/components/data, v1.1.0 to v1.9.0",
    reference="https://kubevirt.io/user-guide/user_workloads/instancetypes/",
    check=check,
    examples=(
        Example("an instancetype", "{domain: {devices: {}}}", vm_spec=_SMALL, world=(instancetype("small"),)),
        Example("no instancetype and no preference", "{domain: {devices: {}}}"),
        Example(
            "an instancetype, and a CPU model in the VM",
            "{domain: {devices: {}, cpu: {model: Haswell}}}",
            vm_spec=_SMALL,
            world=(instancetype("small"),),
        ),
        Example(
            "an instancetype and a preference that KubeVirt itself deploys",
            "{domain: {devices: {}}}",
            vm_spec="{instancetype: {name: u1.medium}, preference: {name: fedora}}",
        ),
        Example(
            "an instancetype that was not provided",
            "{domain: {devices: {}}}",
            vm_spec=_SMALL,
            undetermined=("spec.instancetype",),
        ),
        Example(
            "a preference that was not provided",
            "{domain: {devices: {}}}",
            vm_spec="{preference: {name: windows}}",
            undetermined=("spec.preference",),
        ),
        Example(
            "a preference to infer from a PVC that was not provided",
            "{domain: {devices: {}}, volumes: [{name: os, persistentVolumeClaim: {claimName: os}}]}",
            vm_spec="{preference: {inferFromVolume: os}}",
            undetermined=("spec.preference",),
        ),
    ),
)
