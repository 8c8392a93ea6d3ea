"""The facts about storage are collected only if an object of the storage can be known."""

from unittest.mock import patch

from hypothesis import example, given
from hypothesis import strategies as st

from tests.generating import Manifest
from tests.properties.supply import PROPERTY, RELEASES, read
from webhook.facts.objects_world import ObjectsWorld
from webhook.judging import machines as judging
from webhook.judging.machines import judge
from webhook.kubevirt.releases import KNOWN
from webhook.objects.meta import Kubernetes
from webhook.objects.storage import PersistentVolume, PersistentVolumeClaim, StorageClass, StorageProfile

KINDS: tuple[type[Kubernetes], ...] = (PersistentVolumeClaim, PersistentVolume, StorageClass, StorageProfile)
NAMES = st.sampled_from(("a", "b"))


def manifest(api_version: str, kind: str, name: str, **fields: object) -> Manifest:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": "tenant"}, **fields}


def claim(name: str, storage_class: str | None, volume: str | None) -> Manifest:
    spec = {"accessModes": ["ReadWriteMany"], "storageClassName": storage_class, "volumeName": volume}
    return manifest("v1", "PersistentVolumeClaim", name, spec={key: value for key, value in spec.items() if value})


def volume(name: str, claim: str) -> Manifest:
    spec = {"claimRef": {"name": claim, "namespace": "tenant"}, "hostPath": {"path": "/data"}}
    return manifest("v1", "PersistentVolume", name, spec=spec)


def storage_class(name: str, provisioner: str, default: str) -> Manifest:
    made = manifest("storage.k8s.io/v1", "StorageClass", name, provisioner=provisioner)
    made["metadata"]["annotations"] = {"storageclass.kubernetes.io/is-default-class": default}
    return made


def profile(name: str, mode: str) -> Manifest:
    sets = [{"accessModes": [mode], "volumeMode": "Filesystem"}]
    return manifest("cdi.kubevirt.io/v1beta1", "StorageProfile", name, status={"claimPropertySets": sets})


OBJECTS = st.lists(
    st.one_of(
        st.builds(claim, NAMES, st.none() | NAMES, st.none() | NAMES),
        st.builds(volume, NAMES, NAMES),
        st.builds(
            storage_class, NAMES, st.sampled_from(("rancher.io/local-path", "x")), st.sampled_from(("true", "false"))
        ),
        st.builds(profile, NAMES, st.sampled_from(("ReadWriteOnce", "ReadWriteMany"))),
    ),
    max_size=5,
)
FILES = st.lists(OBJECTS, max_size=2)
VM = manifest(
    "kubevirt.io/v1",
    "VirtualMachineInstance",
    "vm",
    spec={
        "domain": {"devices": {"interfaces": [{"name": "default", "masquerade": {}}]}},
        "networks": [{"name": "default", "pod": {}}],
        "volumes": [{"name": "root", "persistentVolumeClaim": {"claimName": "a"}}],
    },
)


@PROPERTY
@example(
    [claim("a", "b", None)],
    [[storage_class("a", "x", "false")], [storage_class("a", "y", "false")]],  # equally near
    {StorageClass},
    KNOWN,
)
@given(OBJECTS, FILES, st.sets(st.sampled_from(KINDS)), RELEASES)
def test_storage_of_which_nothing_can_be_known_has_no_finding(
    unplaced: list[Manifest], files: list[list[Manifest]], complete: set[type[Kubernetes]], releases: int
) -> None:
    """
    The judgement is the same if the facts are collected in any case.
    """
    world = ObjectsWorld(map(read, unplaced), complete)
    for number, objects in enumerate(files):
        for one in objects:
            world.add(read(one), f"/{number}/objects.yaml")

    judgement = judge(read(VM), world.seen_from("/vm.yaml"), releases)

    with patch.object(judging, "_can_know", return_value=True):
        assert judgement == judge(read(VM), world.seen_from("/vm.yaml"), releases)
