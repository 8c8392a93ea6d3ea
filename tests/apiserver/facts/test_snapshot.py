"""With a snapshot of a real API server, an offline check gives the verdict of the cluster."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.apiserver.controlplane import ControlPlane
from tests.surfaces.running import migratable
from webhook.manifests import snapshot

pytestmark = pytest.mark.apiserver

VM = """\
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: {{name: web, namespace: {namespace}}}
spec:
  runStrategy: Always
  template:
    spec:
      domain: {{devices: {{interfaces: [{{name: default, masquerade: {{}}}}]}}}}
      networks: [{{name: default, pod: {{}}}}]
      volumes: [{{name: os, persistentVolumeClaim: {{claimName: os}}}}]
"""


@pytest.fixture(autouse=True)
def kubevirt(control_plane: ControlPlane, namespace: str) -> Iterator[None]:
    """A KubeVirt CR, without which a cluster has no snapshot."""
    place = f"/apis/kubevirt.io/v1/namespaces/{namespace}/kubevirts"
    cr = {"apiVersion": "kubevirt.io/v1", "kind": "KubeVirt", "metadata": {"name": "kubevirt"}, "spec": {}}
    control_plane.client.create(place, cr)
    yield
    control_plane.client.api("DELETE", f"{place}/kubevirt")


def make(control_plane: ControlPlane, namespace: str) -> None:
    create = control_plane.client.create
    create(
        f"/api/v1/namespaces/{namespace}/persistentvolumeclaims",
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "os", "annotations": {"note": "hunter2"}},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
        },
    )
    create(
        f"/api/v1/namespaces/{namespace}/secrets",
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"password": "hunter2"}},
    )


def verdict(manifest: Path, *flags: str | Path) -> Any:
    ran = migratable("check", "--isolated", manifest, "-o", "json", *flags)
    assert ran.status in (0, 1), ran.err
    answer = json.loads(ran.out)
    return answer["objects"][0]["verdict"]


def test_a_snapshot_settles_a_claim_offline(control_plane: ControlPlane, namespace: str, tmp_path: Path) -> None:
    """
    Without the snapshot the verdict is unproven; with it, it is the cluster's; no secret is in the file.
    """
    make(control_plane, namespace)
    manifest = tmp_path / "vm.yaml"
    manifest.write_text(VM.format(namespace=namespace))
    kubeconfig = control_plane.client.kubeconfig()

    ran = migratable("snapshot", "--kubeconfig", kubeconfig, "--claims", "-o", tmp_path / "cluster.yaml")
    again = migratable("snapshot", "--kubeconfig", kubeconfig, "--claims")

    assert ran.status == 0, ran.err
    text = (tmp_path / "cluster.yaml").read_text()
    assert "hunter2" not in text
    assert again.out == text
    assert verdict(manifest)["liveMigratable"] is None
    settled = verdict(manifest, "--snapshot", tmp_path / "cluster.yaml")
    assert (settled["liveMigratable"], settled["reason"]) == (False, "DisksNotLiveMigratable")


def test_a_tenant_can_record_its_own_namespace(control_plane: ControlPlane, namespace: str, tmp_path: Path) -> None:
    """
    A user who may read only one namespace gets its claims with ``-n``. Other kinds are named and unknown.
    """
    make(control_plane, namespace)
    control_plane.client.create(
        f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles",
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role",
            "metadata": {"name": "reader"},
            "rules": [{"apiGroups": [""], "resources": ["persistentvolumeclaims"], "verbs": ["get", "list"]}],
        },
    )
    control_plane.client.create(
        f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings",
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "reader"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "tenant"}],
        },
    )
    manifest = tmp_path / "vm.yaml"
    manifest.write_text(VM.format(namespace=namespace))
    tenant = control_plane.client.kubeconfig("tenant", ["tenants"])

    ran = migratable("snapshot", "--kubeconfig", tenant, "-n", namespace, "--claims", "-o", tmp_path / "mine.yaml")

    assert ran.status == 0, ran.err
    assert (
        "note: the snapshot has no KubeVirt: Migratable is not allowed to read KubeVirt CRs of this cluster" in ran.err
    )
    assert "note: PersistentVolumeClaim" not in ran.err
    assert verdict(manifest, "--snapshot", tmp_path / "mine.yaml")["liveMigratable"] is False


def test_an_api_server_that_does_not_answer_is_an_error(control_plane: ControlPlane, tmp_path: Path) -> None:
    """
    Where nothing answers in time the status is 2, and no file is written that would look like an empty cluster.
    """
    text = control_plane.client.kubeconfig().read_text()
    (tmp_path / "nobody").write_text(text.replace(control_plane.client.url, "https://127.0.0.1:1"))

    ran = migratable("snapshot", "--kubeconfig", tmp_path / "nobody", "--timeout", "2", "-o", tmp_path / "none.yaml")

    assert ran.status == 2
    assert "connection refused" in ran.err
    assert not (tmp_path / "none.yaml").exists()


def test_a_snapshot_above_the_size_limit_is_not_written(
    control_plane: ControlPlane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    If the snapshot is larger than ``check`` can read, the command names what to leave out, and writes nothing.
    """
    monkeypatch.setattr(snapshot, "MOST_BYTES", 100)
    path = tmp_path / "cluster.yaml"

    ran = migratable("snapshot", "--kubeconfig", control_plane.client.kubeconfig(), "-o", path)

    assert (ran.status, path.exists()) == (2, False)
    assert f"error: snapshot {path} is larger than 0 MiB. Create it without --claims, or for one namespace" in ran.err
