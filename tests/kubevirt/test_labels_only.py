"""VMs reduced to their labels (webhook.kubevirt.subject)."""

import pytest

from tests.kubevirt.building import Manifest, read, vm, vmi
from webhook.facts.objects_world import ObjectsWorld
from webhook.kubevirt.settings.vm_index import known_vms
from webhook.kubevirt.subject import VM_KINDS, with_labels_only

META = {"name": "vm", "namespace": "tenant", "generateName": "vm-", "labels": {"outer": "1"}, "annotations": {"a": "b"}}
TEMPLATE = {"metadata": {"labels": {"inner": "2"}, "annotations": {"a": "b"}}, "spec": {"domain": {}}}
MACHINE = {"metadata": {"labels": {"middle": "3"}}, "spec": {"template": TEMPLATE, "runStrategy": "Always"}}
KINDS: list[Manifest] = [
    {**vm("{}"), "metadata": META, "spec": MACHINE["spec"]},
    {**vmi("{}"), "metadata": META},
    {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstanceReplicaSet",
        "metadata": META,
        "spec": {"template": TEMPLATE, "replicas": 2},
    },
    {
        "apiVersion": "pool.kubevirt.io/v1beta1",
        "kind": "VirtualMachinePool",
        "metadata": META,
        "spec": {"virtualMachineTemplate": MACHINE, "replicas": 2},
    },
]


@pytest.mark.parametrize("manifest", KINDS, ids=lambda item: item["kind"])
def test_labels_and_names_are_kept(manifest: Manifest) -> None:
    """
    Selecting by labels gives the same result, and only labels and names are kept.
    """
    whole = read(manifest)

    kept = with_labels_only(whole)

    assert type(kept) is type(whole)
    assert type(whole) in VM_KINDS
    assert (kept.api_version, kept.kind, kept.name, kept.namespace) == (
        whole.api_version,
        whole.kind,
        whole.name,
        whole.namespace,
    )
    assert kept.meta.generate_name == "vm-"
    assert kept.meta.labels == {"outer": "1"}
    assert kept.meta.annotations is None
    assert known_vms(ObjectsWorld([kept])).vms == known_vms(ObjectsWorld([whole])).vms


def test_other_kinds_stay_whole() -> None:
    """
    A claim has no VMI.
    """
    claim = read({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": META, "spec": {}})

    assert with_labels_only(claim) is claim


def test_a_template_without_labels_has_none() -> None:
    """
    A VM without a template becomes one without labels.
    """
    bare = read({**KINDS[3], "spec": {}})

    kept = with_labels_only(bare)

    assert known_vms(ObjectsWorld([kept])).vms == known_vms(ObjectsWorld([bare])).vms
