"""VMs and other objects inside other objects (webhook.manifests.wrappers)."""

import json
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.generating import Manifest, machines, worlds
from webhook.check.check import Settings, check
from webhook.manifests import wrappers
from webhook.manifests.objects import _WRAPPERS, read_manifests
from webhook.report.model import ObjectReport, Report
from webhook.surfaces.api.judge.judge import report_on

Wrap: TypeAlias = Callable[[Manifest], tuple[Manifest, str]]

BRIDGE: Manifest = {
    "apiVersion": "kubevirt.io/v1",
    "kind": "VirtualMachine",
    "metadata": {"name": "vm", "namespace": "lab"},
    "spec": {
        "template": {
            "spec": {
                "evictionStrategy": "LiveMigrate",
                "domain": {"devices": {"interfaces": [{"name": "default", "bridge": {}}]}, "memory": {"guest": "2Gi"}},
                "networks": [{"name": "default", "pod": {}}],
            }
        }
    },
}


def _object(api_version: str, kind: str, **fields: Any) -> Manifest:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "outer", "namespace": "outer"}, **fields}


def _inside(path: tuple[str | int, ...], inner: Any) -> Any:
    """``inner`` in nested objects and lists, so that it is at ``path``."""
    for step in reversed(path):
        inner = {step: inner} if isinstance(step, str) else [*[{"apiVersion": "v1", "kind": "Secret"}] * step, inner]
    return inner


def _wrapped(api_version: str, kind: str, *path: str | int) -> Wrap:
    prefix = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")

    def wrap(vm: Manifest) -> tuple[Manifest, str]:
        return _object(api_version, kind, **_inside(path, vm)), prefix

    return wrap


def _policy(vm: Manifest) -> tuple[Manifest, str]:
    inner, prefix = _CONFIGURATION_POLICY(vm)
    outer, before = _wrapped(f"{_OCM}/v1", "Policy", "spec", "policy-templates", 1, "objectDefinition")(inner)
    return outer, f"{before}.{prefix}"


def _list_of_templates(vm: Manifest) -> tuple[Manifest, str]:
    inner, prefix = _TEMPLATE(vm)
    return {"apiVersion": "v1", "kind": "List", "items": [inner]}, f"items[0].{prefix}"


def _template_of_a_list(vm: Manifest) -> tuple[Manifest, str]:
    return _TEMPLATE({"apiVersion": "v1", "kind": "List", "items": [vm]})[0], "objects[1].items[0]"


_OCM = "policy.open-cluster-management.io"
_CONFIGURATION_POLICY = _wrapped(f"{_OCM}/v1", "ConfigurationPolicy", "spec", "object-templates", 0, "objectDefinition")
_TEMPLATE = _wrapped("template.openshift.io/v1", "Template", "objects", 1)
WRAPPERS: dict[str, Wrap] = {
    "Template": _TEMPLATE,
    "Template of OpenShift 3": _wrapped("v1", "Template", "objects", 0),
    "ManifestWork": _wrapped("work.open-cluster-management.io/v1", "ManifestWork", "spec", "workload", "manifests", 2),
    "ManifestWorkReplicaSet": _wrapped(
        "work.open-cluster-management.io/v1alpha1",
        "ManifestWorkReplicaSet",
        *("spec", "manifestWorkTemplate", "workload", "manifests", 0),
    ),
    "ConfigurationPolicy": _CONFIGURATION_POLICY,
    "Policy": _policy,
    "Work": _wrapped("work.karmada.io/v1alpha1", "Work", "spec", "workload", "manifests", 0),
    "SyncSet": _wrapped("hive.openshift.io/v1", "SyncSet", "spec", "resources", 0),
    "SelectorSyncSet": _wrapped("hive.openshift.io/v1", "SelectorSyncSet", "spec", "resources", 0),
    "Object": _wrapped("kubernetes.crossplane.io/v1alpha2", "Object", "spec", "forProvider", "manifest"),
    "List of Templates": _list_of_templates,
    "Template of a List": _template_of_a_list,
}
_CAPI = "infrastructure.cluster.x-k8s.io/v1alpha1"
VM_WRAPPERS: dict[str, Wrap] = {
    "KubevirtMachine": _wrapped(_CAPI, "KubevirtMachine", "spec", "virtualMachineTemplate"),
    "KubevirtMachineTemplate": _wrapped(
        _CAPI, "KubevirtMachineTemplate", "spec", "template", "spec", "virtualMachineTemplate"
    ),
    "VirtualMachineTemplateVersion": _wrapped("harvesterhci.io/v1beta1", "VirtualMachineTemplateVersion", "spec", "vm"),
    "VirtualMachineTemplate": _wrapped(
        "template.kubevirt.io/v1alpha1", "VirtualMachineTemplate", "spec", "virtualMachine"
    ),
}


def checked(*objects: Manifest) -> Report:
    text = "\n---\n".join(json.dumps(written, indent=1) for written in objects)
    return check([read_manifests(text.encode(), "f.yaml")], Settings(release="1.9"))


def outcomes(judged: ObjectReport, prefix: str = "") -> list[tuple[str, str, str, str]]:
    """The findings, without ``prefix`` before their paths."""
    before = f"{prefix}." if prefix else ""
    assert all(finding.path.startswith(before) for finding in judged.findings)
    return [
        (finding.rule, finding.outcome, finding.path.removeprefix(before), finding.message)
        for finding in judged.findings
    ]


@pytest.mark.parametrize("kind", WRAPPERS)
@given(vm=machines(), world=worlds())
@settings(max_examples=25, deadline=None)
def test_a_wrapped_vm_has_the_findings_and_verdict_of_the_vm(kind: str, vm: Manifest, world: list[Manifest]) -> None:
    """
    The paths begin with the place of the VM in the object around it.
    """
    outer, prefix = WRAPPERS[kind](vm)
    (plain,) = [judged for judged in checked(vm, *world).objects if judged.kind == "VirtualMachine"]

    (wrapped,) = [judged for judged in checked(outer, *world).objects if judged.kind == "VirtualMachine"]

    assert (wrapped.name, wrapped.namespace) == (plain.name, plain.namespace)
    assert outcomes(wrapped, prefix) == outcomes(plain)
    assert wrapped.verdict == plain.verdict


@pytest.mark.parametrize("kind", VM_WRAPPERS)
@given(vm=machines())
@settings(max_examples=25, deadline=None)
def test_a_vm_without_kind_has_the_findings_and_verdict_of_the_vm(kind: str, vm: Manifest) -> None:
    """
    The report shows the object around the VM, which has no status. The VM of a Cluster API machine has no finding about External.
    """
    vm = {key: vm[key] for key in ("kind", "metadata", "spec")} | {"apiVersion": "kubevirt.io/v1"}
    outer, prefix = VM_WRAPPERS[kind]({key: vm[key] for key in ("metadata", "spec")})
    (plain,) = checked(vm).objects

    (wrapped,) = checked(outer).objects

    assert (wrapped.kind, wrapped.name) == (outer["kind"], "outer")
    expected = [entry for entry in outcomes(plain) if not kind.startswith("KubevirtMachine") or entry[0] != "LM503"]
    assert outcomes(wrapped, prefix) == expected
    assert wrapped.verdict == plain.verdict


@pytest.mark.parametrize("kind", [*WRAPPERS, *VM_WRAPPERS])
def test_the_api_gives_the_same_report(kind: str) -> None:
    """
    The dry-run API reads objects inside other objects, too.
    """
    outer, prefix = {**WRAPPERS, **VM_WRAPPERS}[kind](BRIDGE)

    report = json.loads(report_on(json.dumps(outer).encode(), Settings(release="1.9")))

    (judged,) = report["objects"]
    assert judged["verdict"]["reason"] == "InterfaceNotLiveMigratable"
    path = f"{prefix}.spec.template.spec.domain.devices.interfaces[0]"
    assert [finding["path"] for finding in judged["findings"] if finding["rule"] == "LM101"] == [path]


@pytest.mark.parametrize("kind", [*WRAPPERS, *VM_WRAPPERS])
def test_a_finding_has_the_line_of_its_field(kind: str) -> None:
    """
    The line is that of the field in the file, not a line of the object around it.
    """
    outer, _ = {**WRAPPERS, **VM_WRAPPERS}[kind](BRIDGE)
    text = json.dumps(outer, indent=1)

    (judged,) = checked(outer).objects

    (line,) = [finding.line for finding in judged.findings if finding.rule == "LM101"]
    assert line is not None
    assert '"name": "default"' in text.splitlines()[line]


def test_every_wrapper_has_a_test_and_is_found_by_its_kind() -> None:
    """
    The short list of kinds that the reader looks for equals the tables.
    """
    kinds = {*wrappers.OBJECTS, *wrappers.VMS}

    assert kinds == _WRAPPERS
    assert kinds <= {*WRAPPERS, *VM_WRAPPERS}


def test_an_object_that_a_policy_deletes_is_not_judged() -> None:
    """
    The same holds for an object of which the policy names only some fields.
    """
    outer, _ = _CONFIGURATION_POLICY(BRIDGE)
    outer["spec"]["object-templates"][0]["complianceType"] = "mustNotHave"
    part, _ = _CONFIGURATION_POLICY({**BRIDGE, "spec": {"runStrategy": "Always"}})

    assert checked(outer).objects == []
    assert checked(part).objects == []


def test_claims_in_a_wrapper_are_looked_up() -> None:
    """
    A Template often contains the VM and its claims.
    """
    vm = json.loads(json.dumps(BRIDGE).replace("bridge", "masquerade"))
    vm["spec"]["template"]["spec"]["volumes"] = [{"name": "os", "persistentVolumeClaim": {"claimName": "os"}}]
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "os", "namespace": "lab"},
        "spec": {"accessModes": ["ReadWriteOnce"]},
    }

    (judged,) = checked(_object("template.openshift.io/v1", "Template", objects=[claim, vm])).objects

    assert judged.verdict is not None
    assert judged.verdict.reason == "DisksNotLiveMigratable"


@pytest.mark.parametrize(
    ("written", "place"),
    [
        (_object("example.com/v1", "Thing", spec={"vms": [BRIDGE]}), "spec.vms[0]"),
        (
            _object("v1", "ConfigMap", data={"vm.yaml": "kind: VirtualMachine\napiVersion: kubevirt.io/v1\n"}),
            "data[vm.yaml]",
        ),
        (_object("v1", "ConfigMap", data={"vm": json.dumps(BRIDGE)}), "data.vm"),
        (
            _object(
                "argoproj.io/v1alpha1", "Workflow", spec={"templates": [{"resource": {"manifest": json.dumps(BRIDGE)}}]}
            ),
            "spec.templates[0].resource.manifest",
        ),
        (
            _object(f"{_OCM}/v1", "ConfigurationPolicy", spec={"object-templates-raw": json.dumps(BRIDGE)}),
            "spec.object-templates-raw",
        ),
    ],
)
def test_a_vm_in_an_object_that_is_not_read_has_a_note(written: Manifest, place: str) -> None:
    """
    A check of such an object must not say that there is nothing to find.
    """
    (note,) = checked(written).notes

    assert note.startswith(
        f"f.yaml:1: {written['kind']} 'outer' contains a VirtualMachine (at {place}) that is not checked"
    )


@pytest.mark.parametrize(
    "written",
    [
        _object("apiextensions.k8s.io/v1", "CustomResourceDefinition", spec={"names": {"kind": "VirtualMachine"}}),
        _object("v1", "ConfigMap", data={"text": "A kind: VirtualMachine is an object."}),
        _object("kustomize.toolkit.fluxcd.io/v1", "Kustomization", spec={"patches": [{"patch": json.dumps(BRIDGE)}]}),
        _object("rbac.authorization.k8s.io/v1", "Role", rules=[{"apiGroups": ["kubevirt.io"]}]),
        _object("autoscaling/v2", "Scaler", spec={"ref": {"apiVersion": "apps/v1", "kind": "VirtualMachine"}}),
        _object(
            "v1", "Thing", ownerReferences=[{"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "name": "vm"}]
        ),
        BRIDGE,
    ],
)
def test_other_objects_have_no_note(written: Manifest) -> None:
    """
    Only VMs count, not names of the kind.
    """
    assert checked(written).notes == []


@given(
    st.lists(st.sampled_from(["x", 1, None, {}, []]), max_size=3), st.sampled_from(sorted([*WRAPPERS, *VM_WRAPPERS]))
)
def test_a_wrapper_with_other_content_is_a_problem_or_nothing(values: list[Any], kind: str) -> None:
    """
    Content that is not an object is a problem with its path, and never an error of the program.
    """
    outer, _ = {**WRAPPERS, **VM_WRAPPERS}[kind](values[0] if len(values) == 1 else values)

    read = read_manifests(json.dumps(outer).encode(), "f.yaml")

    assert all(problem.path for problem in read.problems)
