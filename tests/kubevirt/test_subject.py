"""The VMI in a manifest (webhook.kubevirt.subject)."""

from typing import Any

import pytest

from tests.kubevirt.building import Manifest, named, read
from webhook.kubevirt.subject import Subject, name_of_template, subject_of
from webhook.objects.storage import DataVolumeTemplate

LABELS: Manifest = {"labels": {"inner": "x"}}
TEMPLATE: Manifest = {"metadata": LABELS, "spec": {"architecture": "arm64"}}
POOL = "pool.kubevirt.io/v1beta1"


def subject(kind: str, api_version: str = "kubevirt.io/v1", **fields: Any) -> Subject:
    result = subject_of(read(named(kind, "n", api_version, {"outer": "x"}, **fields)))
    assert result is not None
    return result


@pytest.mark.parametrize(
    ("kind", "api_version", "fields", "base", "owner"),
    [
        ("VirtualMachineInstance", "kubevirt.io/v1", {"spec": TEMPLATE["spec"]}, ("spec",), ()),
        (
            "VirtualMachineInstanceReplicaSet",
            "kubevirt.io/v1",
            {"spec": {"template": TEMPLATE}},
            ("spec", "template", "spec"),
            (),
        ),
        (
            "VirtualMachine",
            "kubevirt.io/v1",
            {"spec": {"template": TEMPLATE}},
            ("spec", "template", "spec"),
            ("spec",),
        ),
        (
            "VirtualMachinePool",
            POOL,
            {"spec": {"virtualMachineTemplate": {"metadata": {"labels": {"middle": "x"}}, "spec": {"template": TEMPLATE}}}},
            ("spec", "virtualMachineTemplate", "spec", "template", "spec"),
            ("spec", "virtualMachineTemplate", "spec"),
        ),
    ],
)  # fmt: skip
def test_each_kind_has_its_vmi_at_a_path_of_its_own(
    kind: str, api_version: str, fields: Manifest, base: tuple[str, ...], owner: tuple[str, ...]
) -> None:
    """
    The VMI has the labels of the template; ``outer`` is the metadata of the VM around it, or of the object itself.
    """
    subject_found = subject(kind, api_version, **fields)

    assert (subject_found.kind, subject_found.namespace, subject_found.name) == (kind, "tenant", "n")
    assert (subject_found.base, subject_found.owner) == (base, owner)
    assert subject_found.spec.architecture == "arm64"
    assert subject_found.meta.labels == ({"outer": "x"} if kind == "VirtualMachineInstance" else {"inner": "x"})
    assert subject_found.outer.labels == ({"middle": "x"} if kind == "VirtualMachinePool" else {"outer": "x"})
    assert subject_found.renames_templates is (kind == "VirtualMachinePool")


@pytest.mark.parametrize(
    ("kind", "api_version", "spec"),
    [
        ("VirtualMachine", "kubevirt.io/v1", {}),
        ("VirtualMachine", "kubevirt.io/v1", {"template": {}}),
        ("VirtualMachineInstanceReplicaSet", "kubevirt.io/v1", {}),
        ("VirtualMachineInstanceReplicaSet", "kubevirt.io/v1", {"template": {}}),
        ("VirtualMachinePool", POOL, {}),
        ("VirtualMachinePool", POOL, {"virtualMachineTemplate": {}}),
        ("VirtualMachinePool", POOL, {"virtualMachineTemplate": {"spec": {"template": {}}}}),
    ],
)
def test_templates_may_be_empty(kind: str, api_version: str, spec: Manifest) -> None:
    """
    The API server refuses such an object; a manifest is judged as far as possible.
    """
    subject_found = subject(kind, api_version, spec=spec)

    assert subject_found.spec.volumes is None
    assert subject_found.meta.labels is None
    assert subject_found.data_volumes == {}


def test_the_status_is_that_of_the_judged_object() -> None:
    """
    A VM has one about references, a VMI one about volumes.
    """
    machine = subject("VirtualMachine", spec={"template": TEMPLATE}, status={"conditions": []})
    instance = subject("VirtualMachineInstance", spec={}, status={"migratedVolumes": []})

    assert (machine.vm_status is not None, machine.vmi_status) == (True, None)
    assert (instance.vm_status, instance.vmi_status is not None) == (None, True)


def test_the_first_of_two_templates_with_one_name_counts() -> None:
    """
    virt-controller creates its DataVolume; an entry without a spec creates none.
    """
    templates = [
        {"metadata": {"name": "a"}},
        {"metadata": {"name": "a"}, "spec": {"storage": {"storageClassName": "first"}}},
        {"metadata": {"name": "a"}, "spec": {"storage": {"storageClassName": "second"}}},
        {"spec": {"storage": {}}},
    ]

    result = subject("VirtualMachine", spec={"template": TEMPLATE, "dataVolumeTemplates": templates}).data_volumes

    assert list(result) == ["a", ""]
    assert result["a"].storage is not None
    assert result["a"].storage.storage_class_name == "first"


def test_a_template_without_metadata_has_an_empty_name() -> None:
    """
    No volume can name it.
    """
    assert name_of_template(DataVolumeTemplate()) == ""
