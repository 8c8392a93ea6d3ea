"""A real cluster with 60 VMs, watched for the pages."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.apiserver import crds
from tests.apiserver.clusters.loading import load
from tests.apiserver.clusters.machines import virtual_machine
from tests.apiserver.clusters.shape import Shape, Variant, machine_name, namespace_name
from tests.apiserver.controlplane import ControlPlane
from tests.waiting import PATIENCE_SECONDS, wait_until
from webhook.audit.audit import audit
from webhook.audit.scope import Scope
from webhook.check.check import Settings
from webhook.cluster.kubernetes_client import connect
from webhook.cluster.pages import Lister
from webhook.console.cluster_source import ClusterSource
from webhook.console.rows import place_of, row_of
from webhook.console.state import VM
from webhook.report.audit_metrics import Migratability

pytestmark = pytest.mark.apiserver

SHAPE = Shape(60, namespaces=5)
MACHINES = "/apis/kubevirt.io/v1/namespaces/{}/virtualmachines"


class Here:
    """A cluster, and its source."""

    def __init__(self, plane: ControlPlane, source: ClusterSource) -> None:
        self.plane, self.source = plane, source

    def row(self, namespace: str, name: str) -> VM | None:
        return next((one for one in self.source.state().vms if (one.namespace, one.name) == (namespace, name)), None)

    def send(self, method: str, path: str, body: Any = None) -> None:
        assert self.plane.client.api(method, path, body).status in (200, 201)


@pytest.fixture(scope="module")
def here() -> Iterator[Here]:
    stopping, settings = threading.Event(), Settings()
    with ControlPlane(crds=crds.OWN) as plane:
        load(plane, SHAPE)
        source = ClusterSource(connect(plane.client.kubeconfig()), lambda: settings, "lab")
        thread = threading.Thread(target=source.run, args=(stopping,), daemon=True)
        thread.start()
        try:
            wait_until(lambda: not source.state().unfinished, PATIENCE_SECONDS, "the first judgement")
            yield Here(plane, source)
        finally:
            stopping.set()
            thread.join(PATIENCE_SECONDS)


def test_the_rows_are_those_of_an_audit_of_the_cluster(here: Here) -> None:
    """
    The VMs, their verdicts and rules.
    """
    transport = connect(here.plane.client.kubeconfig())
    objects = audit(Lister(transport, 60.0), Settings(), Scope()).objects
    transport.close()

    state = here.source.state()
    assert len(state.vms) == 60
    assert state.vms == tuple(sorted((row_of(one) for one in objects if one.is_machine), key=place_of))
    assert (state.unread, state.problems, state.release) == ((), (), "1.9")
    assert state.judged_at is not None


def test_a_vm_appears_changes_and_disappears(here: Here) -> None:
    """
    Each change has another version.
    """
    namespace, name = namespace_name(1), machine_name(999)
    machine = virtual_machine(999, namespace, Variant(is_running=False))
    path, versions = MACHINES.format(namespace), {here.source.state().version}

    here.send("POST", path, machine)
    row = wait_until(lambda: here.row(namespace, name), PATIENCE_SECONDS, "the VM to appear")
    versions.add(here.source.state().version)
    assert "LM101" not in row.rules

    bridged = virtual_machine(999, namespace, Variant("bridge", is_running=False))
    version = here.plane.client.api("GET", f"{path}/{name}").document["metadata"]["resourceVersion"]
    bridged["metadata"]["resourceVersion"] = version
    here.send("PUT", f"{path}/{name}", bridged)

    def changed() -> VM | None:
        found = here.row(namespace, name)
        return found if found is not None and found.migratability is Migratability.NOT_MIGRATABLE else None

    assert wait_until(changed, PATIENCE_SECONDS, "the VM to change").reason == "InterfaceNotLiveMigratable"
    versions.add(here.source.state().version)
    here.send("DELETE", f"{path}/{name}")
    wait_until(lambda: here.row(namespace, name) is None, PATIENCE_SECONDS, "the VM to disappear")

    assert len({*versions, here.source.state().version}) == 4


def test_the_drains_are_rehearsed(here: Here) -> None:
    """
    After the first judgement, in a thread of its own. Details of VMs follow.
    """
    drains = wait_until(
        lambda: here.source.state().drains if here.source.state().drains.rehearsed_at else None,
        PATIENCE_SECONDS,
        "the rehearsal",
    )

    assert drains.problem == ""
    assert drains.report is not None
    assert [one.name for one in drains.report.nodes] == ["node-000", "node-001", "node-002"]
    vm = here.source.state().vms[0]
    explained = here.source.explained(vm.namespace, vm.name)
    assert explained is not None
    assert explained.strategy.value == "LiveMigrate"
