"""Responses of the webhook through a real API server disclose nothing that the author may not read."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.apiserver import crds
from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.serving import install_hooks, serving
from tests.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.apiserver

Manifest = dict[str, Any]

IMAGES, TENANT, OTHERS = "images", "tenant", "others"
CANARY = "canary"
"""Part of every name and value that only readers of the other namespaces may learn."""
LABEL = "instancetype.kubevirt.io/default-instancetype"
INSTANCETYPES = "/apis/instancetype.kubevirt.io/v1beta1/virtualmachineclusterinstancetypes"
MIGRATABLE, WITH_GPU = f"{CANARY}-small", f"{CANARY}-gpu"
ABSENT = "absent"


@dataclass
class Guarded:
    """A control plane with the server in front of it; jane may only write in her namespace."""

    plane: ControlPlane

    def creates(self, user: str, manifest: Manifest) -> subprocess.CompletedProcess[str]:
        """`kubectl create --dry-run=server` by a user."""
        arguments = ("create", "--dry-run=server", "-o", "name", "--as", user, "-f", "-")
        return self.plane.client.kubectl(*arguments, stdin=json.dumps(manifest), check=False)

    def answers(self, user: str, manifest: Manifest) -> str:
        """The warnings and errors for the user."""
        done = self.creates(user, manifest)
        return done.stdout + done.stderr


def named(api_version: str, kind: str, name: str, namespace: str = "", **fields: Any) -> Manifest:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


def golden(name: str, instancetype: str) -> Manifest:
    """A claim of the images' namespace that names an instancetype."""
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    claim = named("v1", "PersistentVolumeClaim", name, IMAGES, spec=spec)
    claim["metadata"]["labels"] = {LABEL: instancetype}
    return claim


def vm(source: str) -> Manifest:
    """A VM whose instancetype is inferred from a clone of a claim of the images' namespace."""
    disk = {
        "source": {"pvc": {"namespace": IMAGES, "name": source}},
        "storage": {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    devices = {"interfaces": [{"name": "default", "masquerade": {}}]}
    spec = {
        "domain": {"devices": devices},
        "networks": [{"name": "default", "pod": {}}],
        "volumes": [{"name": "os", "dataVolume": {"name": "os"}}],
    }
    return named(
        "kubevirt.io/v1",
        "VirtualMachine",
        "web",
        TENANT,
        spec={
            "runStrategy": "Halted",
            "instancetype": {"inferFromVolume": "os"},
            "dataVolumeTemplates": [{"metadata": {"name": "os"}, "spec": disk}],
            "template": {"metadata": {}, "spec": spec},
        },
    )


def network(name: str, namespace: str) -> Manifest:
    """A network that gives out the addresses of every other one that is made here."""
    ipam = {"type": "host-local", "subnet": "10.66.0.0/16"}
    config = {"cniVersion": "0.3.1", "name": name, "type": "macvlan", "master": "eth1", "ipam": ipam}
    kind = "NetworkAttachmentDefinition"
    return named("k8s.cni.cncf.io/v1", kind, name, namespace, spec={"config": json.dumps(config)})


def objects() -> list[Manifest]:
    """The objects of the cluster, in an order in which they can be created."""
    types = {MIGRATABLE: {}, WITH_GPU: {"gpus": [{"name": "gpu", "deviceName": "nvidia.com/A10"}]}}
    cpu = {"cpu": {"guest": 1}, "memory": {"guest": "1Gi"}}
    kind = "VirtualMachineClusterInstancetype"
    version = "instancetype.kubevirt.io/v1beta1"
    configuration = {"migrations": {"network": f"{TENANT}/migration"}}
    return [
        *(named("v1", "Namespace", namespace) for namespace in (IMAGES, TENANT, OTHERS, "kubevirt")),
        *(named(version, kind, name, spec=cpu | more) for name, more in types.items()),
        golden("works", MIGRATABLE),
        golden("refused", WITH_GPU),
        network(f"{CANARY}-network", OTHERS),
        named("kubevirt.io/v1", "KubeVirt", "kubevirt", "kubevirt", spec={"configuration": configuration}),
    ]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with ControlPlane(crds=crds.OWN) as plane:
        client = plane.client
        client.kubectl("create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects()}))
        writes = "--resource=vm,net-attach-def"
        client.kubectl("create", "clusterrole", "writer", "--verb=create", writes)
        for user in ("jane", "reader", "cloner"):
            client.kubectl("create", "rolebinding", user, "-n", TENANT, "--clusterrole=writer", f"--user={user}")
        client.kubectl("create", "clusterrole", "reader", "--verb=get,list", "--resource=pvc,net-attach-def")
        client.kubectl("create", "clusterrolebinding", "reader", "--clusterrole=reader", "--user=reader")
        client.kubectl("create", "role", "cloner", "-n", IMAGES, "--verb=create", "--resource=datavolumes/source")
        client.kubectl("create", "rolebinding", "cloner", "-n", IMAGES, "--role=cloner", "--user=cloner")
        with serving(plane, tmp_path_factory.mktemp("serve")) as server:
            install_hooks(plane, server, timeout_seconds=10)
            ready = Guarded(plane)
            wait_until(
                lambda: WITH_GPU in ready.answers("reader", vm("refused")), PATIENCE_SECONDS, "the claims to be known"
            )
            yield ready


def test_an_author_who_may_read_the_source_gets_the_reason(guarded: Guarded) -> None:
    """
    Golden images that every user may read keep exact messages.
    """
    refused = guarded.creates("reader", vm("refused"))
    works = guarded.creates("reader", vm("works"))

    assert (refused.returncode, WITH_GPU in refused.stderr) == (1, True)
    assert (works.returncode, works.stderr) == (0, "")


def test_an_author_who_may_clone_the_source_may_read_it(guarded: Guarded) -> None:
    """
    CDI copies labels to the clone, so the right to clone a claim is the right to know them.
    """
    assert WITH_GPU in guarded.answers("cloner", vm("refused"))


def test_a_denial_contains_nothing_that_the_author_may_not_read(guarded: Guarded) -> None:
    """
    A denial stays a denial. It names neither the instancetype nor the rule that the label of the other namespace leads
    to.
    """
    done = guarded.creates("jane", vm("refused"))

    assert done.returncode == 1
    assert CANARY not in done.stdout + done.stderr
    assert "an object in another namespace. Your account may not read that object" in done.stderr
    assert "GPU" not in done.stderr.upper()


def test_a_missing_and_an_existing_source_give_the_same_response(guarded: Guarded) -> None:
    """
    The response to the author is the same, byte for byte, whether the claim exists or not.
    """
    there, absent = (guarded.answers("jane", vm(source)) for source in ("works", ABSENT))

    assert there.replace("works", "NAME") == absent.replace(ABSENT, "NAME")
    assert "may not read" in there


def test_a_network_of_another_namespace_is_named_only_to_users_who_may_read_it(guarded: Guarded) -> None:
    """
    A tenant cannot find another tenant's networks by trying address ranges.
    """
    mine = network("migration", TENANT)

    assert f"{CANARY}-network" in guarded.answers("reader", mine)
    assert CANARY not in guarded.answers("jane", mine)
