"""The audit of one namespace, installed by an administrator of this namespace (deploy/kustomize/audit-namespace)."""

from pathlib import Path

import pytest
import yaml

from tests.apiserver.client import Client
from tests.apiserver.controlplane import ControlPlane
from tests.deploy.kubelet import kubelet
from tests.deploy.manifests import KUSTOMIZE, Manifest, built, find, of_kind
from tests.deploy.tenants import MACHINES, TENANT, make_world
from webhook.objects.kinds import KINDS

pytestmark = pytest.mark.apiserver

LEAD = "lead"
BUILT_IN = ("system:aggregate-to-admin", "system:aggregate-to-edit", "system:aggregate-to-view")
"""The parts of the built-in role admin. A controller puts them together, which does not run here."""
RBAC = "/apis/rbac.authorization.k8s.io/v1"
VMS = f"/apis/kubevirt.io/v1/namespaces/{TENANT}/virtualmachines"


def folder_of(place: Path) -> Path:
    """A copy of the folder for the namespace of the tenant. Paths to other folders lead to the repository."""
    source = KUSTOMIZE / "audit-namespace"
    kustomization = yaml.safe_load((source / "kustomization.yaml").read_text())
    copy = place / "audit-namespace"
    copy.mkdir()
    (place / "components").symlink_to(KUSTOMIZE / "components")
    kustomization["namespace"] = TENANT
    (copy / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    (copy / "rbac.yaml").write_text((source / "rbac.yaml").read_text())
    return copy


def make_lead(client: Client) -> None:
    """A user with the built-in role admin in one namespace, and the rights that the operators add to this role."""
    operators = [kind for kind in KINDS if kind.namespaced and kind.group not in ("", "apps", "policy")]
    rules = [{"apiGroups": [kind.group], "resources": [kind.plural], "verbs": ["*"]} for kind in operators]
    role: Manifest = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "rules": rules}
    client.create(f"{RBAC}/clusterroles", role | {"metadata": {"name": "operators-admin"}})
    for name in (*BUILT_IN, "operators-admin"):
        client.kubectl(
            "create", "rolebinding", name.replace(":", "-"), f"--clusterrole={name}", f"--user={LEAD}", "-n", TENANT
        )


def test_an_administrator_of_a_namespace_installs_and_runs_the_audit(plane: ControlPlane, tmp_path: Path) -> None:
    """
    The user needs no cluster-wide right. The audit judges the VMs of the namespace, with the release that the file names.
    """
    client = plane.client
    make_world(client)
    make_lead(client)
    vm = client.create(VMS, MACHINES[0])["metadata"]["name"]
    copy = folder_of(tmp_path)

    done = client.kubectl("apply", "-k", str(copy), kubeconfig=client.kubeconfig(LEAD, []))
    with kubelet(plane, tmp_path, TENANT) as node:
        status, said = node.run_job("migratable-audit")

    assert done.stderr == ""
    assert status == 0, said
    assert "1 VM: 0 can be live-migrated, 1 cannot" in said
    assert f"{TENANT}/{vm}" in said
    assert "KubeVirt 1.9" in said


def test_no_object_is_cluster_scoped() -> None:
    """
    Every object is in the one namespace, and the binding names the account in this namespace.
    """
    objects = built(KUSTOMIZE / "audit-namespace")

    (subject,) = find(objects, "RoleBinding", "migratable-audit")["subjects"]
    assert {manifest["metadata"]["namespace"] for manifest in objects} == {subject["namespace"]} == {"my-team"}
    assert of_kind(objects, "ClusterRole", "ClusterRoleBinding", "Namespace", "PriorityClass") == []


def test_the_account_writes_nothing() -> None:
    """
    An administrator of a namespace usually has no right to write reports, and cannot grant this right.
    """
    objects = built(KUSTOMIZE / "audit-namespace")

    (role,) = of_kind(objects, "Role")
    args = find(objects, "CronJob", "migratable-audit")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"list"}
    assert "--reports=none" in args["containers"][0]["args"]
