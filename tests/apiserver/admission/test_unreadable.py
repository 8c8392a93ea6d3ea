"""An unreadable object never gets a better result than a violation: attacks by a namespace editor on a real API server."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.apiserver import crds
from tests.apiserver.client import Client, Reply
from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.serving import Serving, install_hooks, serving
from tests.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.apiserver

Manifest = dict[str, Any]
MERGE = "application/merge-patch+json"
SMALL = {"domain": {"devices": {"interfaces": [{"name": "default", "masquerade": {}}]}}}
GPU = {"domain": {"devices": {"gpus": [{"name": "g", "deviceName": "vendor.com/g"}]}}}
PODS = {"networks": [{"name": "default", "pod": {}}]}
LABELS = {"metadata": {"labels": {"app": "web"}}}
PLURALS = {
    "PersistentVolumeClaim": "persistentvolumeclaims",
    "NetworkAttachmentDefinition": "network-attachment-definitions",
    "DataVolume": "datavolumes",
    "VirtualMachineInstancetype": "virtualmachineinstancetypes",
    "VirtualMachine": "virtualmachines",
    "VirtualMachineInstance": "virtualmachineinstances",
    "VirtualMachineInstanceReplicaSet": "virtualmachineinstancereplicasets",
    "VirtualMachinePool": "virtualmachinepools",
}
CDI, INSTANCETYPES = "cdi.kubevirt.io/v1beta1", "instancetype.kubevirt.io/v1beta1"
NETWORK = '{"cniVersion": "0.3.1", "name": "lan", "type": "macvlan", "master": "eth1", "ipam": {"type": "dhcp"}}'
NETWORKS = "k8s.cni.cncf.io/v1"


def nested(levels: int) -> bytes:
    """``fieldsV1`` of so many levels."""
    return b'{"f:a":' * levels + b"{}" + b"}" * levels


def managed(levels: int, version: str) -> bytes:
    """A patch of metadata alone, which no webhook is asked about."""
    entry = {"manager": "m", "operation": "Update", "apiVersion": version, "time": "2026-01-01T00:00:00Z"}
    fields = {**entry, "fieldsType": "FieldsV1", "fieldsV1": 0}
    patch = json.dumps({"metadata": {"managedFields": [fields]}}, separators=(",", ":"))
    return patch.encode().replace(b'"fieldsV1":0', b'"fieldsV1":' + nested(levels))


@dataclass
class Attacked:
    """An API server with the webhooks in force under Fail, and a tenant's namespace."""

    plane: ControlPlane
    client: Client
    server: Serving
    tenant: str

    def path(self, manifest: Manifest) -> str:
        version = manifest["apiVersion"]
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        return f"{root}/namespaces/{self.tenant}/{PLURALS[manifest['kind']]}"

    def create(self, manifest: Manifest) -> Reply:
        """Whatever is answered."""
        return self.client.api("POST", self.path(manifest), manifest)

    def must(self, manifest: Manifest) -> Manifest:
        assert self.create(manifest).status == 201
        return manifest

    def send(self, method: str, manifest: Manifest, body: bytes, content_type: str = MERGE) -> tuple[int, str]:
        """Status and text: the document may nest deeper than a parser here goes."""
        request = urllib.request.Request(
            f"{self.client.url}{self.path(manifest)}/{manifest['metadata']['name']}",
            method=method,
            data=body or None,
            headers={"Content-Type": content_type},
        )
        try:
            with self.client._opener.open(request, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, refusal.read().decode()

    def patch(self, manifest: Manifest, patch: Manifest) -> tuple[int, str]:
        return self.send("PATCH", manifest, json.dumps(patch).encode())

    def bury(self, manifest: Manifest, levels: int) -> None:
        """Stores so many levels in an object's managedFields."""
        status, text = self.send("PATCH", manifest, managed(levels, manifest["apiVersion"]))
        assert status == 200, text[:500]
        assert text.count('"f:a"') >= levels

    def known(self, kind: str) -> int:
        """How many objects of a kind the server has."""
        sample = f'migratable_cluster_objects{{kind="{kind}"}} '
        (line,) = [splitline for splitline in self.server.metrics().splitlines() if splitline.startswith(sample)]
        return int(float(line.removeprefix(sample)))


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    folder = tmp_path_factory.mktemp("serve")
    with ControlPlane(crds=crds.OWN) as plane, serving(plane, folder) as server:
        install_hooks(plane, server)
        yield Attacked(plane, plane.client, server, plane.client.create_namespace("tenant"))


def named(api_version: str, kind: str, name: str, spec: Any) -> Manifest:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, "spec": spec}


def claim(name: str, mode: str) -> Manifest:
    spec = {"accessModes": [mode], "resources": {"requests": {"storage": "1Gi"}}}
    return named("v1", "PersistentVolumeClaim", name, spec)


def template(**spec: Any) -> Manifest:
    return {**LABELS, "spec": {**SMALL, **PODS, **spec}}


def vm(name: str, outer: Manifest | None = None, **spec: Any) -> Manifest:
    body = {"runStrategy": "Halted", "template": template(**spec), **(outer or {})}
    return named("kubevirt.io/v1", "VirtualMachine", name, body)


def replica_set(name: str) -> Manifest:
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template()}
    return named("kubevirt.io/v1", "VirtualMachineInstanceReplicaSet", name, spec)


def pool(name: str) -> Manifest:
    machine = {"metadata": {}, "spec": vm("")["spec"]}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "virtualMachineTemplate": machine}
    return named("pool.kubevirt.io/v1beta1", "VirtualMachinePool", name, spec)


def on_claim(name: str) -> Manifest:
    return {"volumes": [{"name": "os", "persistentVolumeClaim": {"claimName": name}}]}


def refused_fields(reply: Reply) -> list[str]:
    assert reply.status == 422, (reply.status, reply.document.get("message"), reply.warnings)
    return [cause["field"] for cause in reply.document["details"]["causes"]]


# --- one hostile object affects only itself


FACTS: dict[str, tuple[Manifest, Callable[[str], Manifest], str]] = {
    "PersistentVolumeClaim": (
        claim("deep-claim", "ReadWriteOnce"),
        lambda name: vm(name, **on_claim("deep-claim")),
        "spec.template.spec.volumes[0]",
    ),
    "DataVolume": (
        named(CDI, "DataVolume", "deep-volume", {"pvc": {"accessModes": ["ReadWriteOnce"]}, "source": {"blank": {}}}),
        lambda name: vm(name, volumes=[{"name": "os", "dataVolume": {"name": "deep-volume"}}]),
        "spec.template.spec.volumes[0]",
    ),
    "VirtualMachineInstancetype": (
        named(
            INSTANCETYPES,
            "VirtualMachineInstancetype",
            "deep-type",
            {"cpu": {"guest": 1}, "memory": {"guest": "1Gi"}, "gpus": [{"name": "g", "deviceName": "vendor.com/g"}]},
        ),
        lambda name: vm(name, outer={"instancetype": {"name": "deep-type", "kind": "VirtualMachineInstancetype"}}),
        "spec.instancetype",
    ),
}


@pytest.mark.parametrize("levels", [600, 1_100, 3_000])
@pytest.mark.parametrize("kind", FACTS)
def test_deep_managed_fields_hide_no_fact(attacked: Attacked, kind: str, levels: int) -> None:
    """
    A VM that depends on such an object is denied as before.
    """
    fact, using, place = FACTS[kind]
    attacked.create(fact)
    attacked.bury(fact, levels)

    reply = attacked.create(using(f"uses-{kind.lower()}-{levels}"))

    assert refused_fields(reply) == [place]


def test_a_watch_continues_after_a_deep_object(attacked: Attacked) -> None:
    """
    Later objects of the kind are seen, and a deeply nested network is judged, too.
    """
    network = attacked.must(named(NETWORKS, "NetworkAttachmentDefinition", "deep-network", {"config": NETWORK}))
    attacked.bury(network, 1_100)
    before = attacked.known("NetworkAttachmentDefinition")
    attacked.must(named(NETWORKS, "NetworkAttachmentDefinition", "later", {"config": NETWORK}))

    wait_until(
        lambda: attacked.known("NetworkAttachmentDefinition") > before, PATIENCE_SECONDS, "the later network to be seen"
    )
    status, text = attacked.patch(network, {"spec": {"config": "no JSON"}})

    assert status == 422, text[:500]
    assert "LM701" in text


def test_a_new_replica_becomes_ready_although_lists_contain_deep_objects(attacked: Attacked) -> None:
    """
    The first lists of the replica contain such objects.
    """
    hostile = attacked.must(claim("deep-for-replica", "ReadWriteOnce"))
    attacked.bury(hostile, 1_100)

    with serving(attacked.plane, attacked.server.folder / "second") as second:
        assert second.ready()


# --- two steps


@pytest.mark.parametrize("levels", [600, 3_000])
@pytest.mark.parametrize("make", [vm, replica_set, pool], ids=["VM", "VMIRS", "pool"])
def test_deep_metadata_of_an_object_exempts_no_violation(
    attacked: Attacked, make: Callable[[str], Manifest], levels: int
) -> None:
    """
    Step one changes metadata and is not sent to the webhook. Step two adds a GPU and is denied, as it is without step
    one.
    """
    hostile = attacked.must(make(f"buried-{make.__name__.replace('_', '-')}-{levels}"))
    gpu: Manifest = {"template": {"spec": GPU}}
    if make is pool:
        gpu = {"virtualMachineTemplate": {"spec": gpu}}
    attacked.bury(hostile, levels)

    status, text = attacked.patch(hostile, {"spec": gpu})

    assert status == 422, text[:500]
    assert "LM302" in text
    assert attacked.patch(hostile, {"metadata": {"labels": {"team": "a"}}})[0] == 200
    assert attacked.send("DELETE", hostile, b"")[0] == 200


HIDDEN = {"a number as a label": b'{"labels":{"app":7}}', "levels": b'{"x":' + b"[" * 3_000 + b"]" * 3_000 + b"}"}


@pytest.mark.parametrize("metadata", HIDDEN.values(), ids=HIDDEN)
def test_metadata_in_the_template_of_a_pool_exempts_no_violation(attacked: Attacked, metadata: bytes) -> None:
    """
    No schema restricts this metadata, and its changes are not sent to any webhook.
    """
    hostile = attacked.must(pool(f"hidden-{len(metadata)}"))
    patch = b'{"spec":{"virtualMachineTemplate":{"metadata":' + metadata + b"}}}"
    assert attacked.send("PATCH", hostile, patch)[0] == 200

    status, text = attacked.patch(hostile, {"spec": {"virtualMachineTemplate": {"spec": {"template": {"spec": GPU}}}}})

    assert status == 422, text[:500]
    assert "LM302" in text
    assert attacked.patch(hostile, {"spec": {"replicas": 0}})[0] == 200


# --- a manifest's own status


def test_the_status_of_a_new_vmi_is_ignored(attacked: Attacked) -> None:
    """
    A VMI has no status subresource, so a status in its manifest is stored. The warning about the claim of the VMI
    appears all the same.
    """
    noted = {"claimName": "absent", "accessModes": ["ReadWriteMany"]}
    plain = named("kubevirt.io/v1", "VirtualMachineInstance", "plain", {**SMALL, **PODS, **on_claim("absent")})
    lying = {**plain, "metadata": {"name": "lying"}}
    lying["status"] = {"volumeStatus": [{"name": "os", "target": "", "persistentVolumeClaimInfo": noted}]}

    replies = [attacked.create(manifest) for manifest in (plain, lying)]

    assert [replie.status for replie in replies] == [201, 201]
    assert replies[0].warnings == replies[1].warnings
    assert "absent" in replies[0].warnings[0]


# --- what is being deleted


def test_a_network_that_is_being_deleted_cannot_be_made_invalid(attacked: Attacked) -> None:
    """
    A finalizer keeps the network, and pods still use it. Its metadata may change.
    """
    network = named(NETWORKS, "NetworkAttachmentDefinition", "going", {"config": NETWORK})
    network["metadata"]["finalizers"] = ["example.com/hold"]
    attacked.must(network)
    assert attacked.send("DELETE", network, b"")[0] == 200

    status, text = attacked.patch(network, {"spec": {"config": "no JSON"}})

    assert status == 422, text[:500]
    assert attacked.patch(network, {"metadata": {"labels": {"a": "b"}}})[0] == 200
    assert attacked.patch(network, {"metadata": {"finalizers": None}})[0] == 200


def test_a_vm_that_is_being_deleted_gets_no_violation(attacked: Attacked) -> None:
    """
    It may be started, stopped and freed of its finalizer.
    """
    machine = vm("going")
    machine["metadata"]["finalizers"] = ["example.com/hold"]
    attacked.must(machine)
    assert attacked.send("DELETE", machine, b"")[0] == 200

    assert attacked.patch(machine, {"spec": {"template": {"spec": GPU}}})[0] == 422
    assert attacked.patch(machine, {"spec": {"runStrategy": "Always"}})[0] == 200
    assert attacked.patch(machine, {"metadata": {"finalizers": None}})[0] == 200
