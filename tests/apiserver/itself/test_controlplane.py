"""The control plane has the properties that its tests rely on."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.apiserver import crds
from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.processes import Process

pytestmark = pytest.mark.apiserver


def vmi_spec(**domain: Any) -> dict[str, Any]:
    return {"domain": {"devices": {}} | domain}


def virtual_machine(name: str, version: str = "v1") -> dict[str, Any]:
    return {
        "apiVersion": f"kubevirt.io/{version}",
        "kind": "VirtualMachine",
        "metadata": {"name": name},
        "spec": {"runStrategy": "Halted", "template": {"spec": vmi_spec()}},
    }


def virtual_machines(namespace: str, version: str = "v1") -> str:
    return f"/apis/kubevirt.io/{version}/namespaces/{namespace}/virtualmachines"


@pytest.fixture(scope="module")
def own_control_plane() -> Iterator[ControlPlane]:
    """One that these tests may stop without a word to the others."""
    with ControlPlane() as running:
        yield running


def test_the_api_server_names_its_kubernetes_release(control_plane: ControlPlane) -> None:
    """
    The binary is stamped with a release. Without the stamp it would be v0.0.0-master, and clients would complain.
    """
    reply = control_plane.client.api("GET", "/version")

    assert reply.status == 200
    assert re.match(r"v1\.\d+\.\d+", reply.document["gitVersion"])


@pytest.mark.parametrize("crd", crds.OWN, ids=lambda path: path.stem)
def test_every_definition_is_accepted_and_served(control_plane: ControlPlane, crd: Path) -> None:
    """
    Every version of every definition is served, and its schema is structural.
    """
    spec = crds.load(crd)["spec"]

    stored = control_plane.client.api("GET", f"{crds.PATH}/{crd.stem}").document
    statuses = {
        version["name"]: control_plane.client.api(
            "GET", f"/apis/{spec['group']}/{version['name']}/{spec['names']['plural']}"
        ).status
        for version in spec["versions"]
    }

    conditions = {condition["type"]: condition["status"] for condition in stored["status"]["conditions"]}
    assert conditions == {"NamesAccepted": "True", "Established": "True"}
    assert statuses == {version["name"]: 200 for version in spec["versions"]}


def test_a_vm_written_in_v1alpha3_is_read_in_v1(each_control_plane: ControlPlane) -> None:
    """
    Group kubevirt.io serves v1alpha3 beside v1, and warns its users.
    """
    client = each_control_plane.client
    namespace = client.create_namespace()

    created = client.api("POST", virtual_machines(namespace, "v1alpha3"), virtual_machine("old", "v1alpha3"))
    read = client.api("GET", f"{virtual_machines(namespace)}/old")

    assert created.status == 201
    assert created.warnings == ("kubevirt.io/v1alpha3 is now deprecated and will be removed in a future release.",)
    assert (read.document["apiVersion"], read.warnings) == ("kubevirt.io/v1", ())


def test_a_vmi_status_is_written_by_an_update_of_the_whole_object(each_control_plane: ControlPlane) -> None:
    """
    Unlike a VM, a VMI has no status subresource: every heartbeat of virt-handler is an UPDATE.
    """
    client = each_control_plane.client
    path = f"/apis/kubevirt.io/v1/namespaces/{client.create_namespace()}/virtualmachineinstances"
    vmi = {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstance",
        "metadata": {"name": "beating"},
        "spec": vmi_spec(),
    }
    created = client.create(path, vmi)

    by_status = client.api("PUT", f"{path}/beating/status", created | {"status": {"phase": "Running"}})
    by_update = client.api("PUT", f"{path}/beating", created | {"status": {"phase": "Running"}})

    assert by_status.status == 404
    assert (by_update.status, by_update.document["status"]) == (200, {"phase": "Running"})


def test_a_plain_update_does_not_change_the_status_of_a_vm(each_control_plane: ControlPlane) -> None:
    """
    A VM has a status subresource: a status in its manifest is dropped.
    """
    client = each_control_plane.client
    path = virtual_machines(client.create_namespace())

    created = client.create(path, virtual_machine("still") | {"status": {"printableStatus": "Running"}})
    written = client.api("PUT", f"{path}/still/status", created | {"status": {"printableStatus": "Stopped"}})

    assert "status" not in created
    assert written.document["status"] == {"printableStatus": "Stopped"}


def test_a_replica_set_can_be_scaled(each_control_plane: ControlPlane) -> None:
    """
    VirtualMachineInstanceReplicaSet and VirtualMachinePool have a scale subresource.
    """
    client = each_control_plane.client
    path = f"/apis/kubevirt.io/v1/namespaces/{client.create_namespace()}/virtualmachineinstancereplicasets"
    labels = {"app": "web"}
    client.create(
        path,
        {
            "apiVersion": "kubevirt.io/v1",
            "kind": "VirtualMachineInstanceReplicaSet",
            "metadata": {"name": "web"},
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": vmi_spec()},
            },
        },
    )

    patch = {"spec": {"replicas": 3}}
    scaled = client.api("PATCH", f"{path}/web/scale", patch, content_type="application/merge-patch+json")

    assert (scaled.document["kind"], scaled.document["spec"]) == ("Scale", {"replicas": 3})


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"domain": {}}, "spec.template.spec.domain.devices"),
        (
            vmi_spec() | {"volumes": [{"persistentVolumeClaim": {"claimName": "os"}}]},
            "spec.template.spec.volumes[0].name",
        ),
        (
            vmi_spec() | {"volumes": [{"name": "os", "persistentVolumeClaim": {}}]},
            "spec.template.spec.volumes[0].persistentVolumeClaim.claimName",
        ),
    ],
)
def test_a_vm_that_violates_the_schema_is_refused_before_any_webhook(
    each_control_plane: ControlPlane, spec: dict[str, Any], field: str
) -> None:
    """
    The small schemas of the tests require what KubeVirt's schemas require, at the places that the rules read.
    """
    client = each_control_plane.client
    path = virtual_machines(client.create_namespace())
    vm = virtual_machine("bad") | {"spec": {"runStrategy": "Halted", "template": {"spec": spec}}}

    reply = client.api("POST", path, vm)

    assert reply.status == 422
    # a schema with CEL rules adds a cause of no field: those rules were not reached
    assert [cause["field"] for cause in reply.document["details"]["causes"] if cause["field"] != "<nil>"] == [field]


def test_kubectl_accepts_the_short_names(control_plane: ControlPlane, namespace: str) -> None:
    """
    kubectl creates and lists objects by the names that a user of KubeVirt types.
    """
    kubectl = control_plane.client.kubectl

    created = kubectl("create", "-n", namespace, "-f", "-", stdin=json.dumps(virtual_machine("web")))
    listed = kubectl("get", "-n", namespace, "vm", "-o", "name")

    assert created.stdout == "virtualmachine.kubevirt.io/web created\n"
    assert listed.stdout == "virtualmachine.kubevirt.io/web\n"


def test_a_kubectl_that_fails_says_why(control_plane: ControlPlane, namespace: str) -> None:
    """
    An unexpected refusal is in the output of the test.
    """
    kubectl = control_plane.client.kubectl
    words = 'Error from server (NotFound): virtualmachines.kubevirt.io "none" not found\n'

    with pytest.raises(AssertionError) as refusal:
        kubectl("get", "-n", namespace, "vm", "none")
    expected = kubectl("get", "-n", namespace, "vm", "none", check=False)

    assert str(refusal.value) == f"kubectl get -n {namespace} vm none: exit 1\n{words}"
    assert (expected.returncode, expected.stderr) == (1, words)


def test_a_user_without_a_role_may_do_nothing(control_plane: ControlPlane, namespace: str) -> None:
    """
    Authorization is RBAC, so a ServiceAccount has what its roles give it.
    """
    client = control_plane.client
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "nobody"}}
    client.create(f"/api/v1/namespaces/{namespace}/serviceaccounts", account)
    bearer = client.token_kubeconfig(client.token(namespace, "nobody"))

    answers = [
        client.kubectl("auth", "can-i", "list", "vm", "-n", namespace, check=False, kubeconfig=kubeconfig).stdout
        for kubeconfig in (client.kubeconfig(), client.kubeconfig("tenant", ()), bearer)
    ]

    assert answers == ["yes\n", "no\n", "no\n"]


@pytest.mark.parametrize("server", ["kube-apiserver", "etcd"])
def test_a_restart_keeps_what_was_stored(own_control_plane: ControlPlane, server: str) -> None:
    """
    A server comes back on its port with its data, as after an upgrade.
    """
    client = own_control_plane.client
    namespace = client.create_namespace()
    before = own_control_plane.processes[server].popen.pid

    own_control_plane.restart(server)

    assert own_control_plane.processes[server].popen.pid != before
    assert client.api("GET", f"/api/v1/namespaces/{namespace}").status == 200


def test_a_stopped_api_server_refuses_connections(own_control_plane: ControlPlane) -> None:
    """
    Tests can stop the API server: its clients are refused, and are served again after the start.
    """
    with own_control_plane.stopped():
        away = own_control_plane.client.ready()
    back = own_control_plane.client.ready()

    assert (away, back) == (False, True)


def test_stop_removes_processes_and_files() -> None:
    """
    Servers and files end with the control plane, also when the block ends with an error.
    """
    control_plane = ControlPlane()
    seen: list[Process] = []

    def fail_inside() -> None:
        with control_plane:
            seen.extend(control_plane.processes.values())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_inside()

    assert [process.name for process in seen] == ["etcd", "kube-apiserver"]
    assert all(process.popen.returncode is not None for process in seen)
    assert not control_plane.folder.exists()


def test_a_server_that_cannot_start_says_why_at_once() -> None:
    """
    The end of its log is in the error, and what was begun before it is ended.
    """
    control_plane = ControlPlane(apiserver_flags=["--no-such-flag"])

    with pytest.raises(RuntimeError, match=r"kube-apiserver ended with status 1:\n(.*\n)*.*--no-such-flag"):
        control_plane.start()

    assert control_plane.processes == {}
    assert not control_plane.folder.exists()
