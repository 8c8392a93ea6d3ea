"""The roles as written, and as a real API server applies them."""

from typing import Any

import pytest

from tests.apiserver.controlplane import ControlPlane
from tests.deploy.manifests import KUSTOMIZE, NAMESPACE, Manifest, find, of_kind, overlay

pytestmark = pytest.mark.apiserver

SERVER = f"system:serviceaccount:{NAMESPACE}:migratable"
ROTATOR = f"system:serviceaccount:{NAMESPACE}:migratable-rotator"

READ = ["get", "list", "watch"]
FOLLOW = ["list", "watch"]

# group/resource[/name]: verbs
GRANTED = {
    "migratable-facts": {
        "/persistentvolumeclaims": READ,
        "/namespaces": READ,
        "cdi.kubevirt.io/datavolumes": READ,
        "cdi.kubevirt.io/datasources": READ,
        "cdi.kubevirt.io/storageprofiles": READ,
        "k8s.cni.cncf.io/network-attachment-definitions": READ,
        "instancetype.kubevirt.io/virtualmachineinstancetypes": READ,
        "instancetype.kubevirt.io/virtualmachineclusterinstancetypes": READ,
        "instancetype.kubevirt.io/virtualmachinepreferences": READ,
        "instancetype.kubevirt.io/virtualmachineclusterpreferences": READ,
        "/nodes": FOLLOW,
        "storage.k8s.io/storageclasses": FOLLOW,
        "networking.k8s.io/servicecidrs": FOLLOW,
        "migrations.kubevirt.io/migrationpolicies": FOLLOW,
        "kubevirt.io/kubevirts": FOLLOW,
        "apps/controllerrevisions": ["get"],
    },
    "migratable-api": {
        "authentication.k8s.io/tokenreviews": ["create"],
        "authorization.k8s.io/subjectaccessreviews": ["create"],
    },
    "migratable-rotator": {
        "admissionregistration.k8s.io/mutatingwebhookconfigurations/migratable-default": ["get", "patch"],
        "admissionregistration.k8s.io/validatingwebhookconfigurations/migratable-validate": ["get", "patch"],
    },
}
ROTATOR_IN_ITS_NAMESPACE = {
    "/secrets/migratable-ca": ["get", "update", "create", "patch"],
    "/secrets/migratable-serving-cert": ["get", "update", "create", "patch"],
    "coordination.k8s.io/leases/migratable-rotator": ["get", "update"],
}


def table(role: Manifest) -> dict[str, list[str]]:
    """The rules of a role, one right a line."""
    bindings: dict[str, list[str]] = {}
    for rule in role["rules"]:
        names = [f"/{name}" for name in rule.get("resourceNames", [])] or [""]
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                for name in names:
                    bindings[f"{group}/{resource}{name}"] = rule["verbs"]
    return bindings


def bound(kind: str) -> dict[str, list[tuple[str, str]]]:
    """The accounts that each role is given to."""
    return {
        binding["roleRef"]["name"]: [(subject["namespace"], subject["name"]) for subject in binding["subjects"]]
        for binding in of_kind(overlay("enforce"), kind)
    }


def test_roles_grant_exactly_the_rights_of_the_table() -> None:
    """
    No account writes an object of a tenant, lists Secrets, or has a wildcard.
    """
    objects = overlay("enforce")

    granted = {role["metadata"]["name"]: table(role) for role in of_kind(objects, "ClusterRole")}
    local = table(find(objects, "Role", "migratable-rotator"))

    assert granted == GRANTED
    assert local == ROTATOR_IN_ITS_NAMESPACE


def test_each_role_is_bound_to_its_one_account() -> None:
    """
    The pods that are called hold no right to write; the one that writes is not called.
    """
    server, rotator = [(NAMESPACE, "migratable")], [(NAMESPACE, "migratable-rotator")]

    assert bound("ClusterRoleBinding") == {
        "migratable-facts": server,
        "migratable-api": server,
        "migratable-rotator": rotator,
    }
    assert bound("RoleBinding") == {"migratable-rotator": rotator}


def test_each_pod_runs_as_its_own_account() -> None:
    """
    Rights are given to accounts, so each Deployment has one of its own.
    """
    accounts = {
        deployment["metadata"]["name"]: deployment["spec"]["template"]["spec"]["serviceAccountName"]
        for deployment in of_kind(overlay("enforce"), "Deployment")
    }

    assert accounts == {"migratable": "migratable", "migratable-rotator": "migratable-rotator"}


@pytest.fixture(scope="module")
def installed(plane: ControlPlane) -> ControlPlane:
    """The control plane, with overlay audit applied."""
    plane.client.kubectl("apply", "-k", str(KUSTOMIZE / "overlays" / "audit"))
    return plane


@pytest.mark.parametrize(
    ("account", "verb", "resource", "name", "namespace", "allowed"),
    [
        (SERVER, "list", "persistentvolumeclaims", "", "tenant", True),
        (SERVER, "watch", "kubevirt.io/kubevirts", "", "", True),
        (SERVER, "get", "kubevirt.io/virtualmachines", "web", "tenant", False),
        (SERVER, "list", "kubevirt.io/virtualmachines", "", "", False),
        (SERVER, "create", "authentication.k8s.io/tokenreviews", "", "", True),
        (SERVER, "update", "kubevirt.io/virtualmachines", "web", "tenant", False),
        (SERVER, "patch", "persistentvolumeclaims", "os", "tenant", False),
        (SERVER, "get", "secrets", "migratable-serving-cert", NAMESPACE, False),
        (SERVER, "get", "secrets", "migratable-ca", NAMESPACE, False),
        (SERVER, "get", "configmaps", "any", NAMESPACE, False),
        (
            SERVER,
            "patch",
            "admissionregistration.k8s.io/validatingwebhookconfigurations",
            "migratable-validate",
            "",
            False,
        ),
        (ROTATOR, "update", "secrets", "migratable-ca", NAMESPACE, True),
        (ROTATOR, "get", "secrets", "migratable-serving-cert", NAMESPACE, True),
        (ROTATOR, "list", "secrets", "", NAMESPACE, False),
        (ROTATOR, "create", "secrets", "", NAMESPACE, False),
        (ROTATOR, "get", "secrets", "other", NAMESPACE, False),
        (ROTATOR, "get", "secrets", "migratable-ca", "tenant", False),
        (
            ROTATOR,
            "patch",
            "admissionregistration.k8s.io/mutatingwebhookconfigurations",
            "migratable-default",
            "",
            True,
        ),
        (ROTATOR, "patch", "admissionregistration.k8s.io/mutatingwebhookconfigurations", "virt-api-mutator", "", False),
        (
            ROTATOR,
            "delete",
            "admissionregistration.k8s.io/validatingwebhookconfigurations",
            "migratable-validate",
            "",
            False,
        ),
    ],
)
def test_the_api_server_grants_the_accounts_exactly_these_requests(
    installed: ControlPlane, account: str, verb: str, resource: str, name: str, namespace: str, allowed: bool
) -> None:
    """
    An attacker in a serving pod can read facts and change nothing.
    """
    group, _, plural = resource.rpartition("/")
    attributes = {"verb": verb, "group": group, "resource": plural, "name": name, "namespace": namespace}
    review: dict[str, Any] = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": account, "resourceAttributes": attributes},
    }

    answer = installed.client.create("/apis/authorization.k8s.io/v1/subjectaccessreviews", review)

    assert answer["status"]["allowed"] is allowed
