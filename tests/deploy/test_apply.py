"""`kubectl apply -k` on a real API server: accepted, repeated, raised from audit to enforce, and taken away."""

import copy
import json

import pytest

from tests.apiserver.controlplane import ControlPlane
from tests.deploy.manifests import KUSTOMIZE, NAMESPACE, OURS, OVERLAYS, Manifest, find, of_kind, overlay
from tests.waiting import wait_until

pytestmark = pytest.mark.apiserver

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
VALIDATING = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/migratable-validate"
SERVING_SECRET = f"/api/v1/namespaces/{NAMESPACE}/secrets/migratable-serving-cert"
CLUSTER_WIDE = (
    "priorityclasses,clusterroles,clusterrolebindings,validatingwebhookconfigurations,mutatingwebhookconfigurations"
)


def folder(name: str) -> str:
    return str(KUSTOMIZE / "overlays" / name)


def pods_of(name: str) -> list[Manifest]:
    """A pod as each Deployment would make it."""
    return [
        {"apiVersion": "v1", "kind": "Pod"}
        | {"metadata": {"name": each["metadata"]["name"]}, "spec": each["spec"]["template"]["spec"]}
        for each in of_kind(overlay(name), "Deployment")
    ]


@pytest.mark.parametrize("how", [(), ("--server-side",)], ids=["client-side", "server-side"])
@pytest.mark.parametrize("where", ["base", *(f"overlays/{name}" for name in OVERLAYS)])
def test_it_is_accepted(plane: ControlPlane, where: str, how: tuple[str, ...]) -> None:
    """
    One command installs it, whichever way it is applied, and nothing is warned of.
    """
    # who applied first owns the fields; a test that comes later may take them, and hear that they were another's
    force = ("--force-conflicts",) if how else ()

    done = plane.client.kubectl("apply", *how, *force, "-k", str(KUSTOMIZE / where))

    assert [line for line in done.stderr.splitlines() if "last-applied-configuration" not in line] == []


@pytest.mark.parametrize("how", [(), ("--server-side", "--force-conflicts")], ids=["client-side", "server-side"])
def test_applying_again_leaves_what_the_rotator_wrote(plane: ControlPlane, how: tuple[str, ...]) -> None:
    """
    A certificate and the caBundles outlive an upgrade.
    """
    client = plane.client
    client.kubectl("apply", *how, "-k", folder("warn"))
    webhook = "virtualmachine.validate.migratable"
    bundle = {"webhooks": [{"name": webhook, "clientConfig": {"caBundle": plane.ca.bundle}}]}
    pair = {"data": {"tls.crt": "Y3J0", "tls.key": "a2V5"}}
    assert client.api("PATCH", VALIDATING, bundle, content_type=STRATEGIC).status == 200
    assert client.api("PATCH", SERVING_SECRET, pair, content_type=MERGE).status == 200

    client.kubectl("apply", *how, "-k", folder("enforce"))

    stored = {each["name"]: each for each in client.api("GET", VALIDATING).document["webhooks"]}
    secret = client.api("GET", SERVING_SECRET).document
    assert stored[webhook]["clientConfig"]["caBundle"] == plane.ca.bundle
    assert stored[webhook]["failurePolicy"] == "Fail"
    assert (secret["data"], secret["type"]) == (pair["data"], "Opaque")


@pytest.mark.parametrize("pod", pods_of("enforce"), ids=lambda pod: str(pod["metadata"]["name"]))
def test_a_pod_is_admitted_to_a_namespace_of_restricted_pods(plane: ControlPlane, pod: Manifest) -> None:
    """
    Our namespace enforces the Pod Security Standard "restricted", and our pods meet it.
    """
    plane.client.kubectl("apply", "-k", folder("enforce"))
    namespace = plane.client.api("GET", f"/api/v1/namespaces/{NAMESPACE}").document
    path = f"/api/v1/namespaces/{NAMESPACE}/pods?dryRun=All"
    careless = copy.deepcopy(pod)
    del careless["spec"]["containers"][0]["securityContext"]

    reply = plane.client.api("POST", path, pod)
    refused = plane.client.api("POST", path, careless)

    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert (reply.status, reply.warnings) == (201, ())
    assert reply.document["spec"]["priority"] == find(overlay("enforce"), "PriorityClass", "migratable")["value"]
    assert refused.status == 403
    assert 'violates PodSecurity "restricted:latest"' in refused.document["message"]


def test_our_own_parts_can_be_made_anew_while_nobody_answers(plane: ControlPlane) -> None:
    """
    Failing closed without a single replica, everything of ours can be deleted and applied again.
    """
    client = plane.client
    client.kubectl("apply", "-k", folder("enforce"))
    vm = {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {"name": "dark"},
        "spec": {"runStrategy": "Halted", "template": {"spec": {"domain": {"devices": {}}}}},
    }
    path = "/apis/kubevirt.io/v1/namespaces/default/virtualmachines?dryRun=All"
    # the service has no endpoint here: from now on nobody answers
    wait_until(lambda: client.api("POST", path, vm).status == 500, 30, "the webhooks to be in force")

    client.kubectl("delete", "deployments,secrets,services,pdb,networkpolicies", f"-n{NAMESPACE}", "-l", OURS)
    client.kubectl("apply", "-k", folder("enforce"))

    assert client.api("GET", SERVING_SECRET).status == 200
    assert client.api("POST", path, vm).status == 500


def test_deleting_one_object_is_the_emergency_stop(plane: ControlPlane) -> None:
    """
    Without the validating configuration everything goes through, and applying again brings it back.
    """
    client = plane.client
    client.kubectl("apply", "-k", folder("enforce"))
    nad = {"apiVersion": "k8s.cni.cncf.io/v1", "kind": "NetworkAttachmentDefinition", "metadata": {"name": "stop"}}
    path = "/apis/k8s.cni.cncf.io/v1/namespaces/default/network-attachment-definitions?dryRun=All"
    wait_until(lambda: client.api("POST", path, nad).status == 500, 30, "the webhooks to be in force")

    client.kubectl("delete", "validatingwebhookconfiguration", "migratable-validate")
    wait_until(lambda: client.api("POST", path, nad).status == 201, 30, "the webhooks to be gone")
    client.kubectl("apply", "-k", folder("enforce"))

    assert client.api("GET", VALIDATING).status == 200


def test_uninstalling_leaves_nothing_behind(plane: ControlPlane) -> None:
    """
    Nothing of ours is left in the cluster; what is in the namespace goes with it, which takes a controller.
    """
    client = plane.client
    client.kubectl("apply", "-k", folder("enforce"))

    client.kubectl("delete", "--wait=false", "-k", folder("enforce"))

    left = json.loads(client.kubectl("get", CLUSTER_WIDE, "-l", OURS, "-o", "json").stdout)["items"]
    namespace = client.api("GET", f"/api/v1/namespaces/{NAMESPACE}").document
    assert left == []
    assert namespace["status"]["phase"] == "Terminating"
