"""KubeVirt's API rejects a VM with contradictory or missing fields."""

from collections.abc import Iterator, Mapping

from webhook.facts.manifest import ManifestFacts
from webhook.kubevirt.releases import Release, since
from webhook.objects.kinds import KUBEVIRT_GROUP, POOL_GROUP, group_of
from webhook.objects.meta import Json
from webhook.objects.path import FieldPath
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation

_VM_SPECS: Mapping[str, FieldPath] = {
    "VirtualMachine": ("spec",),
    "VirtualMachinePool": ("spec", "virtualMachineTemplate", "spec"),
}
_VMI_SPECS: Mapping[str, FieldPath] = {
    "VirtualMachine": ("spec", "template", "spec"),
    "VirtualMachinePool": ("spec", "virtualMachineTemplate", "spec", "template", "spec"),
    "VirtualMachineInstance": ("spec",),
    "VirtualMachineInstanceReplicaSet": ("spec", "template", "spec"),
}
_BINDINGS = ("bridge", "masquerade", "sriov", "passtBinding", "binding")
"""The bindings that ``countInterfaceBindings`` counts in v1.9.0."""
_EARLIER_BINDINGS = ("slirp", "macvtap", "passt")
"""Bindings up to KubeVirt 1.2. The API server of a later release drops these fields."""
_ALL_BINDINGS = (*_BINDINGS, *_EARLIER_BINDINGS)
_ONE_BINDING = since(Release(1, 9))
_VM = "{{apiVersion: kubevirt.io/v1, kind: VirtualMachine, metadata: {{name: vm}}, spec: {}}}"
_VMI = "{{apiVersion: kubevirt.io/v1, kind: VirtualMachineInstance, metadata: {{name: vmi}}, spec: {}}}"
_INTERFACES = "{{domain: {{devices: {{interfaces: [{}]}}}}, networks: [{{name: default, pod: {{}}}}]}}"


def check(facts: ManifestFacts) -> Iterator[Outcome]:
    base = _VMI_SPECS.get(facts.kind)
    if base is None or group_of(facts.api_version) not in (KUBEVIRT_GROUP, POOL_GROUP):
        return
    outer = _at(facts.raw, _VM_SPECS.get(facts.kind, ()))
    if outer.get("running") is not None and outer.get("runStrategy") is not None and facts.kind in _VM_SPECS:
        yield Violation(
            (*_VM_SPECS[facts.kind], "running"),
            "KubeVirt rejects a VM with both running and runStrategy",
            "running",
            "Remove running, and keep runStrategy.",
        )
    spec = _at(facts.raw, base)
    yield from _volumes(spec, base)
    if not outer.get("preference"):
        yield from _interfaces(spec, base)


def _interfaces(spec: Mapping[str, Json], base: FieldPath) -> Iterator[Outcome]:
    interfaces = _at(spec, ("domain", "devices")).get("interfaces")
    for index, interface in enumerate(interfaces if isinstance(interfaces, list) else ()):
        if not isinstance(interface, dict):
            continue
        bindings = [name for name in interface if name in _ALL_BINDINGS and interface[name] is not None]
        if len(bindings) == 1 and bindings[0] in _BINDINGS:
            continue
        listed = " and ".join(sorted(bindings, key=_ALL_BINDINGS.index)) or "no binding"
        name = interface.get("name")
        yield Violation(
            (*base, "domain", "devices", "interfaces", index),
            f"interface {str(name)!a} has {listed}, but KubeVirt 1.9 requires exactly one valid binding",
            f"bindings of interface {name}",
            "Write one binding, such as `masquerade: {}`.",
            _ONE_BINDING,
        )


def _volumes(spec: Mapping[str, Json], base: FieldPath) -> Iterator[Outcome]:
    volumes = spec.get("volumes")
    for index, volume in enumerate(volumes if isinstance(volumes, list) else ()):
        claim = volume.get("persistentVolumeClaim") if isinstance(volume, dict) else None
        if isinstance(claim, dict) and not claim.get("claimName"):
            yield Violation(
                (*base, "volumes", index, "persistentVolumeClaim"),
                f"volume {str(volume.get('name'))!a} has a persistentVolumeClaim without claimName, which KubeVirt "
                "rejects",
                f"claimName of volume {volume.get('name')}",
                "Write the name of a PVC as claimName.",
            )


def _at(value: Json, path: FieldPath) -> Mapping[str, Json]:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


RULE = Rule(
    id="LM809",
    name="refused-spec",
    about=About.MANIFEST,
    severity=Severity.WARNING,
    summary="KubeVirt rejects the VM because fields are missing or contradict each other.",
    rationale=(
        "KubeVirt rejects a VM with both `running` and `runStrategy`, and a persistentVolumeClaim volume without "
        "claimName. From 1.9 on, KubeVirt also requires exactly one binding for each interface. This rule does not "
        "check the bindings of a VM with a preference, because a preference can add a binding."
    ),
    remediation="Write the missing field, or remove one of the contradictory fields.",
    source=(
        "validateRunStrategy in pkg/virt-api/webhooks/validating-webhook/admitters/vms-admitter.go, v1.3.1 and v1.9.0; "
        "pkg/network/admitter/binding.go validateInterfaceBindingExists, v1.9.0; the CRDs, v1.3.1 and v1.9.0"
    ),
    reference="https://kubevirt.io/user-guide/network/interfaces_and_networks/",
    check=check,
    examples=(
        Example("runStrategy", _VM.format("{runStrategy: Always}")),
        Example("running", _VM.format("{running: true}")),
        Example(
            "running and runStrategy", _VM.format("{running: true, runStrategy: Always}"), violates=("spec.running",)
        ),
        Example("one binding", _VMI.format(_INTERFACES.format("{name: default, masquerade: {}}"))),
        Example(
            "no binding",
            _VMI.format(_INTERFACES.format("{name: default}")),
            violates=("spec.domain.devices.interfaces[0]",),
        ),
        Example("no binding, up to 1.8", _VMI.format(_INTERFACES.format("{name: default}")), release="1.8"),
        Example(
            "two bindings",
            _VMI.format(_INTERFACES.format("{name: default, masquerade: {}, bridge: {}}")),
            violates=("spec.domain.devices.interfaces[0]",),
        ),
        Example(
            "no binding, with a preference that can add one",
            _VM.format(f"{{preference: {{name: linux}}, template: {{spec: {_INTERFACES.format('{name: default}')}}}}}"),
        ),
        Example(
            "a persistentVolumeClaim without claimName",
            _VMI.format("{domain: {devices: {}}, volumes: [{name: os, persistentVolumeClaim: {readOnly: true}}]}"),
            violates=("spec.volumes[0].persistentVolumeClaim",),
        ),
    ),
)
