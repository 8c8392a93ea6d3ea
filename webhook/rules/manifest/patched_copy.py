"""The patches of a VirtualMachineClone can make a VM that cannot be live-migrated."""

from collections.abc import Iterator

from webhook.facts.manifest import ManifestFacts
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation


def check(facts: ManifestFacts) -> Iterator[Outcome]:
    for problem in facts.patched:
        path = ("spec", "patches") if problem.index is None else ("spec", "patches", problem.index)
        yield Violation(path, f"the patched VM: {problem.message}", problem.subject, problem.remedy)


def _clone(patch: str, source: str = "web") -> str:
    return (
        "{apiVersion: clone.kubevirt.io/v1beta1, kind: VirtualMachineClone, metadata: {name: c, namespace: tenant}, spec: "
        f"{{source: {{apiGroup: kubevirt.io, kind: VirtualMachine, name: {source}}}, patches: ['{patch}']}}}}"
    )


def _replace(path: str, value: str) -> str:
    return f'{{"op": "replace", "path": "/spec/template/spec/{path}", "value": {value}}}'


_WEB = {
    "apiVersion": "kubevirt.io/v1",
    "kind": "VirtualMachine",
    "metadata": {"name": "web", "namespace": "tenant"},
    "spec": {
        "runStrategy": "Always",
        "template": {
            "spec": {
                "domain": {
                    "devices": {"interfaces": [{"name": "default", "masquerade": {}}]},
                    "cpu": {"model": "Skylake-Server"},
                },
                "networks": [{"name": "default", "pod": {}}],
            }
        },
    },
}
_BRIDGE = _replace("domain/devices/interfaces/0", '{"name": "default", "bridge": {}}')
_GPU = '{"op": "add", "path": "/spec/template/spec/domain/devices/gpus", "value": [{"name": "g", "deviceName": "v/g"}]}'
RULE = Rule(
    id="LM813",
    name="patched-copy",
    about=About.MANIFEST,
    severity=Severity.WARNING,
    summary="The patches of a VirtualMachineClone add a violation to the VM.",
    rationale=(
        "KubeVirt applies the patches to the source VM, and creates the result. Admission judges this VM when KubeVirt "
        "creates it, but a denial then reaches only virt-controller. A snapshot's VM is not known, so patches of a "
        "VirtualMachineRestore are not judged."
    ),
    remediation="Change the patch.",
    source="pkg/storage/snapshot/restore.go patchVM, v1.3.0 to v1.9.0",
    reference="https://kubevirt.io/user-guide/storage/clone_api/",
    check=check,
    examples=(
        Example("a patch that changes a model", _clone(_replace("domain/cpu/model", '"Haswell"')), world=(_WEB,)),
        Example("a VM that was not provided", _clone(_BRIDGE, "db"), world=(_WEB,)),
        Example("a patch of the labels", _clone('{"op": "add", "path": "/metadata/labels/a", "value": "b"}'), (_WEB,)),
        Example("a bridge on the pod network", _clone(_BRIDGE), world=(_WEB,), violates=("spec.patches[0]",)),
        Example("a GPU", _clone(_GPU), world=(_WEB,), violates=("spec.patches[0]",)),
        Example(
            "a template with a bridge",
            _clone(
                '{"op": "replace", "path": "/spec/template/spec/domain", "value": {"devices": {"interfaces": '
                '[{"name": "default", "bridge": {}}]}}}'
            ),
            world=(_WEB,),
            violates=("spec.patches[0]",),
        ),
    ),
)
