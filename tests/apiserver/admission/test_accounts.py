"""
Listed accounts and HyperConverged's operator get warnings, and all other accounts are denied. A real API server writes the
username.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.apiserver import crds
from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.serving import Serving, install_hooks, manifest, serving

pytestmark = pytest.mark.apiserver

Manifest = dict[str, Any]

BACKUP = "system:serviceaccount:backup:velero"
EXPIRED = "system:serviceaccount:backup:retired"
PLATFORM = "kubevirt-hyperconverged"
OPERATOR = f"system:serviceaccount:{PLATFORM}:hyperconverged-cluster-operator"
POLICY = {
    "accounts": [
        {"account": name, "reason": "restores old VMs", "owner": "backup team", "until": until}
        for name, until in ((BACKUP, "2999-12-31"), (EXPIRED, "2020-01-01"))
    ]
}


class Cluster:
    """A control plane behind the webhook, and kubectl as different service accounts, each with every right."""

    def __init__(self, plane: ControlPlane, server: Serving) -> None:
        self.plane = plane
        self.server = server
        self.tenant = plane.client.create_namespace("tenant")
        self._kubeconfigs: dict[str, Path] = {}

    def apply(self, account: str, *documents: Manifest) -> subprocess.CompletedProcess[str]:
        return self.plane.client.kubectl(
            "apply", "-f", "-", stdin=manifest(*documents), check=False, kubeconfig=self._kubeconfig(account)
        )

    def _kubeconfig(self, account: str) -> Path:
        if account not in self._kubeconfigs:
            _, _, namespace, name = account.split(":")
            meta = {"name": name, "namespace": namespace}
            self.plane.client.create(
                f"/api/v1/namespaces/{namespace}/serviceaccounts",
                {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta},
            )
            token = self.plane.client.token(namespace, name)
            self._kubeconfigs[account] = self.plane.client.token_kubeconfig(token)
        return self._kubeconfigs[account]

    def lowered(self, rule: str, reason: str) -> float:
        """How many denials were counted."""
        name = f'migratable_lowered_denials_total{{reason="{reason}",rule="{rule}"}}'
        return sum(float(line.split()[-1]) for line in self.server.metrics().splitlines() if line.startswith(name))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("accounts")
    policy = folder / "policy.yaml"
    policy.write_text(yaml.safe_dump(POLICY))
    with (
        ControlPlane(crds=crds.OWN) as plane,
        serving(plane, folder / "tls", "--policy", str(policy)) as server,
    ):
        for name in ("backup", PLATFORM):
            plane.client.create(
                "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            )
        everything = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
        group = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:serviceaccounts"}
        plane.client.create(
            "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "ClusterRoleBinding",
                "metadata": {"name": "service-accounts"},
                "roleRef": everything,
                "subjects": [group],
            },
        )
        install_hooks(plane, server, timeout_seconds=20)
        yield Cluster(plane, server)


def vm(name: str, namespace: str) -> Manifest:
    """A VM that is denied whatever else the cluster holds."""
    devices = {"hostDevices": [{"name": "card", "deviceName": "example.org/card"}]}
    template = {"spec": {"domain": {"devices": devices}}}
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"runStrategy": "Halted", "template": template},
    }


def kubevirt(migrations: Manifest, **labels: str) -> Manifest:
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "KubeVirt",
        "metadata": {"name": "kubevirt-kubevirt-hyperconverged", "namespace": PLATFORM, "labels": labels},
        "spec": {"configuration": {"migrations": migrations}},
    }


def test_only_a_listed_account_may_restore_a_vm_with_an_old_violation(cluster: Cluster) -> None:
    """
    The restore by the backup tool passes with a warning and is counted. Another account, and an account whose entry has
    expired, is denied the same object.
    """
    refused = [cluster.apply(user, vm("old", cluster.tenant)) for user in (EXPIRED, f"{BACKUP}-2")]

    restored = cluster.apply(BACKUP, vm("old", cluster.tenant))

    assert [run.returncode for run in refused] == [1, 1]
    assert all("LM301" in run.stderr for run in refused)
    assert restored.returncode == 0, restored.stderr
    assert "Warning: Migratable [LM301]:" in restored.stderr
    assert cluster.lowered("LM301", "account") == 1


def test_the_operator_of_hyperconverged_is_warned_with_its_own_field(cluster: Cluster) -> None:
    """
    HyperConverged's operator writes its KubeVirt CR, also with a setting that stops all migrations: kubectl in its place
    prints the field of the HyperConverged object. A person who writes the same is refused.
    """
    labels = {"app.kubernetes.io/managed-by": "hco-operator"}
    made = cluster.apply(OPERATOR, kubevirt({"parallelMigrationsPerCluster": 5}, **labels))
    bad = kubevirt({"parallelMigrationsPerCluster": 0}, **labels)

    person = cluster.apply(EXPIRED, bad)
    operator = cluster.apply(OPERATOR, bad)

    assert made.returncode == 0, made.stderr
    assert person.returncode == 1
    assert "HyperConverged manages this CR and undoes changes in it" in person.stderr
    assert operator.returncode == 0, operator.stderr
    assert "HyperConverged spec.liveMigrationConfig.parallelMigrationsPerCluster" in operator.stderr
    assert cluster.lowered("LM609", "hyperconverged") == 1


def test_an_unreadable_configuration_of_hyperconverged_is_a_warning(cluster: Cluster) -> None:
    """
    A field of the wrong type does not stop HyperConverged's operator. A person who writes the same is refused.
    """
    labels = {"app.kubernetes.io/managed-by": "hco-operator"}
    cluster.apply(OPERATOR, kubevirt({}, **labels))
    unreadable = kubevirt({}, **labels)
    unreadable["spec"]["configuration"]["network"] = "x"

    person = cluster.apply(EXPIRED, unreadable)
    operator = cluster.apply(OPERATOR, unreadable)

    assert (person.returncode, "wrong type: expected a mapping" in person.stderr) == (1, True), person.stderr
    assert (operator.returncode, "wrong type: expected a mapping" in operator.stderr) == (0, True), operator.stderr
