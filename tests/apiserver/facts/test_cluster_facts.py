"""The store follows a real API server, and a world reads from the store."""

import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.apiserver import crds
from tests.apiserver.client import Client
from tests.apiserver.controlplane import ControlPlane
from tests.waiting import PATIENCE_SECONDS, wait_until
from webhook.cluster.facts import ClusterFacts
from webhook.cluster.watch import Pace
from webhook.facts.unknown import ABSENT, Unknown
from webhook.objects.instancetype import ControllerRevision
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.nad import NetworkAttachmentDefinition, Node
from webhook.objects.storage import DataSource, PersistentVolumeClaim, StorageClass

pytestmark = pytest.mark.apiserver

NAD = NetworkAttachmentDefinition


def claims(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/persistentvolumeclaims"


def nads(namespace: str) -> str:
    return f"/apis/k8s.cni.cncf.io/v1/namespaces/{namespace}/network-attachment-definitions"


def claim(name: str, mode: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {"accessModes": [mode], "resources": {"requests": {"storage": "1Gi"}}},
    }


def nad(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "k8s.cni.cncf.io/v1",
        "kind": "NetworkAttachmentDefinition",
        "metadata": {"name": name},
        "spec": {"config": "{}"},
    }


def delete(client: Client, path: str) -> None:
    assert client.api("DELETE", path).status == 200


def release(client: Client, path: str) -> None:
    """No controller runs that would take the finalizer of a deleted claim away."""
    patch = {"metadata": {"finalizers": None}}
    assert client.api("PATCH", path, patch, content_type="application/merge-patch+json").status == 200


def modes(facts: ClusterFacts, namespace: str, name: str) -> object:
    stored = facts.world().find(PersistentVolumeClaim, namespace, name)
    return stored.spec.access_modes if isinstance(stored, PersistentVolumeClaim) else stored


def wait_for(condition: Callable[[], object], what: str) -> None:
    wait_until(lambda: bool(condition()), PATIENCE_SECONDS, what)


@pytest.fixture(scope="module")
def facts(control_plane: ControlPlane) -> Iterator[ClusterFacts]:
    """Facts of the shared control plane, synced."""
    running = ClusterFacts()
    running.start(control_plane.client.kubeconfig())
    wait_for(lambda: running.ready, "all kinds to be synced")
    yield running
    running.stop()


@pytest.fixture
def own_control_plane() -> Iterator[ControlPlane]:
    """One that a test may stop; its watches end after seconds."""
    with ControlPlane(crds=crds.OWN, apiserver_flags=["--min-request-timeout=5"]) as running:
        yield running


def test_the_store_follows_a_claim_from_creation_to_deletion(
    control_plane: ControlPlane, facts: ClusterFacts, namespace: str
) -> None:
    """
    The claim is missing, is created, is deleted, and is created again with other access modes under the same name.
    """
    client, path = control_plane.client, f"{claims(namespace)}/os"
    missing = Unknown(
        f"PVC 'os' does not exist yet in namespace {namespace!r}, so its access modes are unknown",
        "create it with `accessModes: [ReadWriteMany]`",
    )

    assert modes(facts, namespace, "os") == missing
    client.create(claims(namespace), claim("os", "ReadWriteOnce"))
    wait_for(lambda: modes(facts, namespace, "os") == ["ReadWriteOnce"], "the claim")
    delete(client, path)
    release(client, path)
    wait_for(lambda: modes(facts, namespace, "os") == missing, "its deletion")
    client.create(claims(namespace), claim("os", "ReadWriteMany"))
    wait_for(lambda: modes(facts, namespace, "os") == ["ReadWriteMany"], "the new claim")


def test_the_store_follows_networks(control_plane: ControlPlane, facts: ClusterFacts, namespace: str) -> None:
    """
    A missing NetworkAttachmentDefinition is known to be absent.
    """
    client = control_plane.client

    assert facts.world().find(NAD, namespace, "lan") is ABSENT
    client.create(nads(namespace), nad("lan"))
    wait_for(lambda: isinstance(facts.world().find(NAD, namespace, "lan"), NAD), "the network")
    delete(client, f"{nads(namespace)}/lan")
    wait_for(lambda: facts.world().find(NAD, namespace, "lan") is ABSENT, "its deletion")


def test_the_kubevirt_cr_and_nodes_are_read(control_plane: ControlPlane, facts: ClusterFacts, namespace: str) -> None:
    """
    The settings of the CR, and of nodes the labels (they come as metadata alone).
    """
    client = control_plane.client
    body = {
        "apiVersion": "kubevirt.io/v1",
        "kind": "KubeVirt",
        "metadata": {"name": "kubevirt"},
        "spec": {"configuration": {"evictionStrategy": "LiveMigrate"}},
    }
    node = f"node-of-{namespace}"

    client.create(f"/apis/kubevirt.io/v1/namespaces/{namespace}/kubevirts", body)
    client.create(
        "/api/v1/nodes", {"kind": "Node", "metadata": {"name": node, "labels": {"kubevirt.io/schedulable": "true"}}}
    )
    try:
        wait_for(lambda: isinstance(facts.world().find(KubeVirt, namespace, "kubevirt"), KubeVirt), "the CR")
        wait_for(lambda: isinstance(facts.world().find(Node, "", node), Node), "the node")
        kubevirt = facts.world().find(KubeVirt, namespace, "kubevirt")
        nodes = facts.world().every(Node)
    finally:
        delete(client, f"/apis/kubevirt.io/v1/namespaces/{namespace}/kubevirts/kubevirt")
        delete(client, f"/api/v1/nodes/{node}")

    assert isinstance(kubevirt, KubeVirt)
    assert kubevirt.spec.configuration is not None
    assert kubevirt.spec.configuration.eviction_strategy == "LiveMigrate"
    assert isinstance(nodes, tuple)
    assert [item.meta.labels for item in nodes if item.name == node] == [{"kubevirt.io/schedulable": "true"}]


def test_a_kind_that_is_not_installed_is_tolerated(facts: ClusterFacts) -> None:
    """
    DataSources are not served here: ready all the same, and there are none.
    """
    assert facts.ready
    assert facts.store.missing(DataSource)
    assert facts.world().find(DataSource, "default", "fedora") is ABSENT
    # a watch may end and begin again at any time, which is a problem for a moment, of whichever kind
    wait_for(lambda: not any(statistic.problem for statistic in facts.statistics()), "no kind to have a problem")


def test_live_reads_return_kinds_that_are_not_stored(
    control_plane: ControlPlane, facts: ClusterFacts, namespace: str
) -> None:
    """
    ControllerRevisions are read one by one. An invalid name costs no request.
    """
    revisions = f"/apis/apps/v1/namespaces/{namespace}/controllerrevisions"
    body = {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {"name": "u1"},
        "revision": 1,
        "data": {"spec": {"cpu": {"guest": 2}}},
    }
    control_plane.client.create(revisions, body)

    world = facts.world(deadline_seconds=10)

    revision = world.find(ControllerRevision, namespace, "u1")
    assert isinstance(revision, ControllerRevision)
    assert revision.data == {"spec": {"cpu": {"guest": 2}}}
    assert world.find(ControllerRevision, namespace, "u2") is ABSENT
    assert isinstance(world.find(ControllerRevision, namespace, "../u1"), Unknown)


def test_a_denial_can_be_confirmed_by_live_reads(
    control_plane: ControlPlane, facts: ClusterFacts, namespace: str
) -> None:
    """
    A recorded lookup is repeated at the API server.
    """
    control_plane.client.create(claims(namespace), claim("os", "ReadWriteMany"))
    recording = facts.recording()
    recording.find(PersistentVolumeClaim, namespace, "os")  # the store may or may not have it yet
    recording.every(StorageClass)

    confirmed = facts.confirming(recording, 10.0)
    assert confirmed is not None
    confirmed.read(answer for answer in recording.answers if answer.name is not None)

    stored = confirmed.find(PersistentVolumeClaim, namespace, "os")
    assert isinstance(stored, PersistentVolumeClaim)
    assert stored.spec.access_modes == ["ReadWriteMany"]
    assert confirmed.every(StorageClass) == facts.world().every(StorageClass)
    assert confirmed.find(DataSource, namespace, "fedora") is ABSENT


def test_a_server_without_rights_is_not_ready_and_reports_the_reason(control_plane: ControlPlane) -> None:
    """
    A user without any role is refused every kind, and each kind is requested only a few times.
    """
    running = ClusterFacts([PersistentVolumeClaim, NAD])
    running.start(control_plane.client.kubeconfig(user="nobody", groups=()))

    wait_for(lambda: all(statistic.problem for statistic in running.statistics()), "the refusals")
    running.stop()

    assert {statistic.problem for statistic in running.statistics()} == {"the API server returned HTTP 403"}
    assert not running.ready


def test_the_store_reconnects_to_a_restarted_api_server(own_control_plane: ControlPlane) -> None:
    """
    After a restart the facts contain later changes, and a definition that was removed meanwhile is missing.
    """
    client = own_control_plane.client
    namespace = client.create_namespace()
    client.create(claims(namespace), claim("before", "ReadWriteOnce"))
    running = ClusterFacts(pace=Pace(missing_seconds=2.0))
    running.start(client.kubeconfig())
    try:
        wait_for(lambda: running.ready, "all kinds to be synced")

        own_control_plane.restart()
        client.create(claims(namespace), claim("after", "ReadWriteMany"))
        wait_until(
            lambda: modes(running, namespace, "after") == ["ReadWriteMany"],
            PATIENCE_SECONDS,
            "a claim made after the restart",
        )
        assert modes(running, namespace, "before") == ["ReadWriteOnce"]

        delete(client, f"{crds.PATH}/network-attachment-definitions.k8s.cni.cncf.io")
        wait_for(lambda: running.store.missing(NAD), "the definition to be missed")
        assert running.ready
        wait_for(
            lambda: {statistic.kind for statistic in running.statistics() if statistic.problem} <= {NAD.__name__},
            "all other kinds to be watched again",
        )
    finally:
        running.stop()


def test_reads_from_a_hung_api_server_end_at_their_deadline(own_control_plane: ControlPlane) -> None:
    """
    An API server that is stopped by a signal still accepts connections. Live reads end in time, and silent watches are
    closed.
    """
    client = own_control_plane.client
    namespace = client.create_namespace()
    running = ClusterFacts([PersistentVolumeClaim], pace=Pace(silence_seconds=1.0, unreachable=(0.1, 0.5)))
    running.start(client.kubeconfig())
    try:
        wait_for(lambda: running.ready, "the claims to be synced")
        server = own_control_plane.processes["kube-apiserver"].popen
        server.send_signal(signal.SIGSTOP)
        try:
            wait_for(lambda: running.statistics()[0].problem, "the silence to be noticed")
            revision = running.world(deadline_seconds=0.3).find(ControllerRevision, namespace, "r")
        finally:
            server.send_signal(signal.SIGCONT)
        client.create(claims(namespace), claim("after", "ReadWriteMany"))
        wait_until(
            lambda: modes(running, namespace, "after") == ["ReadWriteMany"],
            PATIENCE_SECONDS,
            "the claim made afterwards",
        )
    finally:
        running.stop()

    assert isinstance(revision, Unknown)
    assert revision.why == "the API server did not return ControllerRevision 'r' in time"
