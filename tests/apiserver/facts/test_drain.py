"""The rehearsal of a drain reads a real API server, and only reads."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.apiserver import crds
from tests.apiserver.audit_log import AuditLog
from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.storing import store
from tests.drain import example_fleet
from tests.surfaces.running import ROOT, migratable
from webhook.manifests.objects import read_manifests

pytestmark = pytest.mark.apiserver

READER: Final = "drain-reader"
ROLE: Final = yaml.safe_load((ROOT / "deploy" / "drain-role.yaml").read_text())


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ControlPlane, AuditLog]]:
    """A control plane with the example fleet, and its audit log. The user ``READER`` has the role of a rehearsal."""
    log = AuditLog(tmp_path_factory.mktemp("audit"))
    with ControlPlane(crds=crds.OWN, apiserver_flags=log.flags) as running:
        objects = [
            manifest.raw
            for name, text in example_fleet.files().items()
            for manifest in read_manifests(text.encode(), name).objects
        ]
        store(running.client, objects)
        rbac = "/apis/rbac.authorization.k8s.io/v1"
        running.client.create(f"{rbac}/clusterroles", ROLE)
        running.client.create(
            f"{rbac}/clusterrolebindings",
            {
                "metadata": {"name": READER},
                "roleRef": {
                    "apiGroup": "rbac.authorization.k8s.io",
                    "kind": "ClusterRole",
                    "name": ROLE["metadata"]["name"],
                },
                "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": READER}],
            },
        )
        yield running, log


def outcomes(text: str) -> dict[str, Any]:
    """The outcome of each VMI."""
    nodes = json.loads(text)["nodes"]
    return {
        machine["name"]: (node["name"], *(machine[key] for key in ("outcome", "detail", "nodes", "message")))
        for node in nodes
        for machine in node["machines"]
    }


def test_a_rehearsal_only_gets_and_lists(audited: tuple[ControlPlane, AuditLog]) -> None:
    """
    The account has the role in ``deploy/drain-role.yaml``. The audit log has no other verb, and no kind is missing.
    """
    control_plane, log = audited
    kubeconfig = control_plane.client.kubeconfig(READER, [])

    drained = migratable("drain", "--all", "--kubeconfig", kubeconfig, "-o", "json")
    saved = migratable("snapshot", "--drain", "--kubeconfig", kubeconfig)

    requests = log.requests(READER)
    assert {request["verb"] for request in requests} <= {"get", "list"}
    assert (drained.status, saved.status) == (1, 0), drained.err + saved.err
    assert "was read" not in drained.err
    assert {"nodes", "pods", "virtualmachineinstances"} <= {
        request["objectRef"]["resource"] for request in requests if "objectRef" in request
    }
    assert {verb for rule in ROLE["rules"] for verb in rule["verbs"]} == {"get", "list"}


def test_the_cluster_its_snapshot_and_its_files_give_the_same_outcomes(
    audited: tuple[ControlPlane, AuditLog], tmp_path: Path
) -> None:
    """
    Each VMI has the same outcome, message and nodes.
    """
    control_plane, _ = audited
    kubeconfig = control_plane.client.kubeconfig(READER, [])
    snapshot = tmp_path / "cluster.yaml"

    live = migratable("drain", "--all", "--kubeconfig", kubeconfig, "-o", "json")
    migratable("snapshot", "--drain", "--kubeconfig", kubeconfig, "-o", snapshot)
    offline = migratable("drain", "--all", "--snapshot", snapshot, "-o", "json")
    from_files = migratable("drain", "--all", "--facts", example_fleet.FOLDER, "-o", "json")

    assert offline.out == live.out
    assert outcomes(live.out) == outcomes(from_files.out)
    assert len(outcomes(live.out)) == 30


def test_a_vm_is_explained_from_the_cluster_as_from_files(audited: tuple[ControlPlane, AuditLog]) -> None:
    """
    Each value is the same. Only the assumptions differ, because no kind is missing in the cluster.
    """
    control_plane, log = audited
    kubeconfig = control_plane.client.kubeconfig(READER, [])

    live = migratable("explain", "vm/erp/archive", "--kubeconfig", kubeconfig, "-o", "json")
    from_files = migratable("explain", "vm/erp/archive", "--facts", example_fleet.FOLDER, "-o", "json")

    first, second = json.loads(live.out), json.loads(from_files.out)
    assert first | {"assumptions": []} == second | {"assumptions": []}
    assert first["drain"]["outcome"] == "blocks"
    assert {request["verb"] for request in log.requests(READER)} <= {"get", "list"}


def test_a_cluster_without_kubevirt_is_an_error() -> None:
    """
    The kubeconfig names another cluster than the user means.
    """
    with ControlPlane(crds=crds.OWN) as empty:
        kubeconfig = empty.client.kubeconfig()
        runs = [
            migratable(*words, "--kubeconfig", kubeconfig) for words in (("drain", "--all"), ("snapshot", "--drain"))
        ]

    for ran in runs:
        assert ran.status == 2
        assert "has no KubeVirt CR: KubeVirt is not deployed, so no VM runs there" in " ".join(ran.err.split())
        assert "--context" in ran.err


def test_an_api_server_that_does_not_answer_is_an_error(control_plane: ControlPlane, tmp_path: Path) -> None:
    """
    Exit status 1 would mean that a VM blocks the drain.
    """
    kubeconfig = yaml.safe_load(control_plane.client.kubeconfig().read_text())
    kubeconfig["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    (tmp_path / "config").write_text(json.dumps(kubeconfig))

    ran = migratable("drain", "--all", "--kubeconfig", tmp_path / "config")

    assert ran.status == 2
    assert "https://127.0.0.1:1" in ran.err
