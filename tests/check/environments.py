"""Repositories with objects of the same names in several folders, as one environment in each folder."""

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from tests.generating import Manifest
from webhook.manifests.objects import Manifests, read_manifests

FOLDERS = ("", "dev/", "prod/", "prod/east/", "shared/", "/elsewhere/", "../dev/")
NAMESPACES = ("tenant", None)
BINDINGS = ("masquerade", "bridge")


def an_object(kind: str, api_version: str, name: str, namespace: str | None = "tenant", **fields: Any) -> Manifest:
    metadata = {"name": name} if namespace is None else {"name": name, "namespace": namespace}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


def a_claim(mode: str = "ReadWriteMany", namespace: str | None = "tenant") -> Manifest:
    return an_object("PersistentVolumeClaim", "v1", "os", namespace, spec={"accessModes": [mode]})


def a_vmi(namespace: str | None = "tenant", name: str = "web", interfaces: bool = True) -> Manifest:
    devices = {"interfaces": [{"name": "default", "masquerade": {}}]} if interfaces else {}
    spec: Manifest = {
        "domain": {"devices": devices},
        "volumes": [{"name": "os", "persistentVolumeClaim": {"claimName": "os"}}],
    }
    if interfaces:
        spec["networks"] = [{"name": "default", "pod": {}}]
    return an_object("VirtualMachineInstance", "kubevirt.io/v1", name, namespace, spec=spec)


def a_vm(instancetype: str = "small", preference: str = "linux") -> Manifest:
    spec = {
        "runStrategy": "Always",
        "instancetype": {"name": instancetype},
        "preference": {"name": preference},
        "template": {"spec": {"domain": {"devices": {}}}},
    }
    return an_object("VirtualMachine", "kubevirt.io/v1", "web", spec=spec)


def an_instancetype(gpu: bool) -> Manifest:
    devices = {"gpus": [{"name": "card", "deviceName": "nvidia.com/A10"}]} if gpu else {}
    spec = {"cpu": {"guest": 1}, "memory": {"guest": "1Gi"}, **devices}
    kind = "VirtualMachineClusterInstancetype"
    return an_object(kind, "instancetype.kubevirt.io/v1beta1", "small", None, spec=spec)


def a_preference(binding: str) -> Manifest:
    spec = {"devices": {"preferredInterfaceMasquerade" if binding == "masquerade" else "preferredTPM": {}}}
    return an_object("VirtualMachineClusterPreference", "instancetype.kubevirt.io/v1beta1", "linux", None, spec=spec)


def a_cr(version: str = "v1.9.0", binding: str = "masquerade", network: str = "") -> Manifest:
    configuration: Manifest = {"network": {"defaultNetworkInterface": binding}}
    if network:
        configuration["migrations"] = {"network": network}
    fields = {"spec": {"configuration": configuration}, "status": {"observedKubeVirtVersion": version}}
    return an_object("KubeVirt", "kubevirt.io/v1", "kubevirt", "kubevirt", **fields)


def a_policy(name: str, seconds: int) -> Manifest:
    spec = {"selectors": {"namespaceSelector": {}}, "completionTimeoutPerGiB": seconds}
    return an_object("MigrationPolicy", "migrations.kubevirt.io/v1alpha1", name, None, spec=spec)


def a_network(config: str) -> Manifest:
    spec = {"config": config}
    return an_object("NetworkAttachmentDefinition", "k8s.cni.cncf.io/v1", "migration", "kubevirt", spec=spec)


def file(name: str, *objects: Manifest) -> Manifests:
    return read_manifests("\n---\n".join(map(json.dumps, objects)).encode(), name)


def variants() -> st.SearchStrategy[Manifest]:
    """Objects of few names and different content."""
    spaces = st.sampled_from(NAMESPACES)
    bindings = st.sampled_from(BINDINGS)
    networks = ('{"type": "macvlan"}', '{"type": "bridge", "ipam": {"type": "whereabouts", "range": "10.0.0.0/29"}}')
    return st.one_of(
        st.builds(a_claim, st.sampled_from(["ReadWriteOnce", "ReadWriteMany"]), spaces),
        st.builds(a_vmi, spaces, st.sampled_from(["web", "db"]), st.booleans()),
        st.builds(a_vm),
        st.builds(an_instancetype, st.booleans()),
        st.builds(a_preference, bindings),
        st.builds(a_cr, st.sampled_from(["v1.4.0", "v1.9.0", "v0.1.0"]), bindings, st.sampled_from(["", "migration"])),
        st.builds(a_policy, st.sampled_from(["a", "b"]), st.sampled_from([1, 800])),
        st.builds(a_network, st.sampled_from(networks)),
    )


@st.composite
def repositories(draw: st.DrawFn) -> tuple[Sequence[Manifests], Sequence[Manifests]]:
    """Files that are checked, and files that are read for references."""
    names = draw(
        st.lists(
            st.tuples(st.sampled_from(FOLDERS), st.sampled_from(["a.yaml", "b.yaml"])),
            min_size=2,
            max_size=8,
            unique=True,
        )
    )
    files = [file("".join(name), *draw(st.lists(variants(), min_size=1, max_size=3))) for name in names]
    references = draw(st.integers(0, 2))
    return files[references:], files[:references]
