"""
The chart, installed on a real API server, with its pods running: as processes, with the rights of their accounts.

The webhook configurations are as the chart writes them: the API server finds the server through Service and
EndpointSlice, and trusts it by the certificate that the rotator signed.
"""

import base64
import http.client
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.apiserver.client import Client, Reply
from tests.apiserver.controlplane import ControlPlane
from tests.deploy.accounts_log import AccountsLog
from tests.deploy.granted import rights_in
from tests.deploy.helming import Helm
from tests.deploy.kubelet import Kubelet, kubelet, own_address
from tests.deploy.manifests import CRDS, DEPLOY, NAMESPACE, REPORT_CRDS
from tests.deploy.tenants import CLUSTER, MACHINES, ON_A_CLAIM, POLICY, TENANT, make_world
from tests.waiting import wait_until

pytestmark = [pytest.mark.apiserver, pytest.mark.helm]

VMS = f"/apis/kubevirt.io/v1/namespaces/{TENANT}/virtualmachines"
SECRETS = ("migratable-ca", "migratable-serving-cert")
SERVICES = ("migratable", "migratable-api", "migratable-replicas")
VALUES: dict[str, Any] = {
    "failurePolicy": "Fail",
    "server": {"drainSeconds": 0},
    # so that labels of namespaces are looked at
    "policy": {"namespaces": [{"labels": {"env": "dev"}, "atMost": "warn"}]},
    # whose accounts can write reports
    "audit": {"enabled": True, "watch": {"enabled": True}},
}


@dataclass
class Installed:
    """The chart on its cluster, and what its accounts have asked of the API server."""

    plane: ControlPlane
    helm: Helm
    kubelet: Kubelet
    log: AccountsLog


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    if not own_address():
        pytest.skip("this machine has no address but loopback, to which no Service leads")
    folder = tmp_path_factory.mktemp("installed")
    log = AccountsLog(folder)
    flags = [
        # else an API server calls the Service's own address, which leads nowhere here
        "--enable-aggregator-routing=true",
        *log.flags,
    ]
    plane = ControlPlane(crds=(*CRDS, *REPORT_CRDS))
    plane.apiserver_flags = [*flags, f"--admission-control-config-file={shows_a_certificate(plane, folder)}"]
    with plane:
        make_world(plane.client)
        helm = Helm(plane.client, folder / "helm")
        helm.install(VALUES)
        with kubelet(plane, folder, NAMESPACE) as node:
            node.start("migratable-rotator")
            server = node.start("migratable")
            for service in SERVICES:
                node.publish(service, server)
            installed = Installed(plane, helm, node, log)
            wait_until(lambda: refusal(installed, ON_A_CLAIM) is not None, 30, "the webhook to be in force")
            yield installed


def shows_a_certificate(plane: ControlPlane, folder: Path) -> Path:
    """deploy/admission-configuration, with a certificate that the cluster's authority signed; only the folder differs."""
    there, here = "/etc/kubernetes/migratable", folder / "admission"
    here.mkdir()
    for path in (DEPLOY / "admission-configuration").glob("*.yaml"):
        (here / path.name).write_text(path.read_text().replace(there, str(here)))
    plane.ca.issue("kube-apiserver").write(here, "client")
    return here / "admission.yaml"


def refusal(installed: Installed, vm: dict[str, Any]) -> str | None:
    """Why a machine is refused, by us; None where it is not."""
    reply = installed.plane.client.api("POST", f"{VMS}?dryRun=All", vm)
    return str(reply.document["message"]) if reply.status == 422 else None


def test_a_vm_that_cannot_migrate_is_denied(installed: Installed) -> None:
    """
    From the Service's name to the certificate, everything fits together.
    """
    said = refusal(installed, ON_A_CLAIM)

    assert said is not None
    assert "spec.template.spec.volumes[0]" in said
    assert "hostDevices" in said


def test_every_kind_of_fact_is_used(installed: Installed) -> None:
    """
    Machines by claim, DataVolume, instancetype, preference, revision and DataSource; settings and policies.
    """
    refusals = [refusal(installed, vm) for vm in MACHINES]
    settings, policy = of_the_cluster(installed)

    assert [said for said in refusals if said is None or "hostDevices" not in said] == []
    assert (settings.status, "parallelMigrationsPerCluster" in settings.document["message"]) == (422, True)
    assert (policy.status, [warning for warning in policy.warnings if "LM" in warning] != []) == (201, True)


def of_the_cluster(installed: Installed) -> tuple[Reply, Reply]:
    """The replies to an invalid KubeVirt resource and an invalid MigrationPolicy."""
    client = installed.plane.client
    settings = client.api("POST", "/apis/kubevirt.io/v1/namespaces/kubevirt/kubevirts?dryRun=All", CLUSTER)
    policy = client.api("POST", "/apis/migrations.kubevirt.io/v1alpha1/migrationpolicies?dryRun=All", POLICY)
    return settings, policy


def test_the_dry_run_api_authenticates_its_callers(installed: Installed) -> None:
    """
    The owner of a token sees of the cluster what their right to create machines shows them.
    """
    with_right = checked(installed, developers_token(installed))
    without = checked(installed, installed.plane.client.token(NAMESPACE, "migratable"))

    assert (with_right[0], "ReadWriteMany" in with_right[1]) == (200, True)
    assert (without[0], "ReadWriteMany" in without[1]) == (403, False)


def developers_token(installed: Installed) -> str:
    """The token of an account that may create VMs in the tenant's namespace."""
    client, here = installed.plane.client, ("-n", TENANT)
    account = f"--serviceaccount={TENANT}:developer"
    client.kubectl("create", "serviceaccount", "developer", *here, check=False)
    client.kubectl("create", "role", "developer", "--verb=create", "--resource=vm", *here, check=False)
    client.kubectl("create", "rolebinding", "developer", "--role=developer", account, *here, check=False)
    return client.token(TENANT, "developer")


def checked(installed: Installed, token: str) -> tuple[int, str]:
    """The reply of the dry-run API to a VM with the PVC of the tenant."""
    url = installed.kubelet.url("migratable-api", 443, "/v1/check")
    secret = installed.plane.client.api("GET", installed.kubelet.path("secrets", "migratable-serving-cert")).document
    trusted = ssl.create_default_context(cadata=base64.b64decode(secret["data"]["ca.crt"]).decode())
    trusted.check_hostname = False  # its name leads here from pods only
    vm = ON_A_CLAIM | {"metadata": {"name": "mine", "namespace": TENANT}}
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    request = urllib.request.Request(url, json.dumps(vm).encode(), headers)
    try:
        with urllib.request.urlopen(request, context=trusted, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


@pytest.mark.parametrize(
    ("service", "port", "path"), [("migratable-api", 443, "/v1/rules"), ("migratable-replicas", 8080, "/metrics")]
)
def test_only_requests_for_known_hosts_get_a_response(installed: Installed, service: str, port: int, path: str) -> None:
    """
    Every form of a Service's name and a pod's address work with the flags of the chart; a foreign name gets 421.
    """
    hosts = [service, f"{service}.{NAMESPACE}", f"{service}.{NAMESPACE}.svc", "10.244.1.17"]

    own = [status_for(installed, service, port, path, f"{host}:{port}") for host in hosts]
    foreign = status_for(installed, service, port, path, "evil.example.com")

    assert own == [200] * len(hosts)
    assert foreign == 421


def status_for(installed: Installed, service: str, port: int, path: str, host: str) -> int:
    """The status of a GET request with this Host header."""
    trusted = ssl.create_default_context()
    trusted.check_hostname, trusted.verify_mode = False, ssl.CERT_NONE  # names lead here from pods only
    url = installed.kubelet.url(service, port, path)
    if port != 443:
        url = url.replace("https:", "http:")
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, headers={"Host": host}), context=trusted, timeout=20
        ) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_helm_test_passes_with_a_running_server(installed: Installed) -> None:
    """
    `helm test` runs its pods, which call admission, the API and the metrics, and are content; nothing of it is left.
    """
    before = names_of(installed)

    said = helm_test(installed, "admission", "api", "metrics")

    assert said["admission"] == "a VMI with a host device is denied\n"
    assert said["api"].endswith(" rules\n")
    assert said["metrics"].endswith(" lines of metrics\n")
    assert names_of(installed) == before


def helm_test(installed: Installed, *tests: str) -> dict[str, str]:
    """`helm test`, with a node that runs its pods: what each said."""
    said: dict[str, str] = {}
    with ThreadPoolExecutor(1) as pool:
        testing = pool.submit(installed.helm, "test", "migratable", "--timeout", "120s")
        for name in sorted(tests):  # the order in which helm makes them
            pod = f"migratable-test-{name}"
            if wait_until(partial(made_or_over, installed, pod, testing), 60, f"helm to create {pod}") == "made":
                said[name] = installed.kubelet.run_to_the_end(pod)
        testing.result()
    return said


def made_or_over(installed: Installed, pod: str, testing: Future[str]) -> str:
    if installed.plane.client.api("GET", installed.kubelet.path("pods", pod)).status == 200:
        return "made"
    return "over" if testing.done() else ""


def names_of(installed: Installed) -> list[str]:
    """The objects in the namespace of the kinds that tests create."""
    kinds = "pods,configmaps,networkpolicies"
    return installed.plane.client.kubectl("get", kinds, "-n", NAMESPACE, "-o", "name").stdout.split()


def test_granted_rights_equal_used_rights(installed: Installed) -> None:
    """
    Each right is used when all facts are read, users send requests and Secrets are lost. No request is refused.
    """
    for vm in MACHINES:
        refusal(installed, vm)
    of_the_cluster(installed)
    checked(installed, developers_token(installed))
    for name in SECRETS:
        made_again(installed, name)

    for account in ("migratable", "migratable-rotator"):
        granted, used = granted_to(installed, account), installed.log.used(account)
        refused = [event["requestURI"] for event in installed.log.refused(account)]
        assert sorted(granted - used) == [], account
        assert sorted(used - granted) == [], account
        assert refused == [], account


def made_again(installed: Installed, name: str) -> dict[str, Any]:
    """Deletes a Secret, and waits until it is there again and filled."""
    client, path = installed.plane.client, installed.kubelet.path("secrets", name)
    client.kubectl("delete", "secret", name, "-n", NAMESPACE)
    wait_until(lambda: "tls.key" in (client.api("GET", path).document.get("data") or {}), 30, f"{name} to be back")
    return client.api("GET", path).document


@pytest.mark.parametrize("name", SECRETS)
def test_a_deleted_secret_is_created_again(installed: Installed, name: str) -> None:
    """
    By the rotator, with a right for that name alone.
    """
    remade = made_again(installed, name)

    assert remade["type"] == "Opaque"
    assert {"tls.crt", "tls.key"} <= remade["data"].keys()


def granted_to(installed: Installed, account: str) -> set[str]:
    """The rules of all roles that are bound to an account, a right each."""
    client, rights = installed.plane.client, set()
    root = "/apis/rbac.authorization.k8s.io/v1"
    for bindings in (f"{root}/clusterrolebindings", f"{root}/namespaces/{NAMESPACE}/rolebindings"):
        for binding in client.api("GET", bindings).document["items"]:
            subjects = [subject for subject in binding.get("subjects", ()) if subject["kind"] == "ServiceAccount"]
            if (account, NAMESPACE) in [(subject["name"], subject["namespace"]) for subject in subjects]:
                ref = binding["roleRef"]
                scope = "" if ref["kind"] == "ClusterRole" else f"/namespaces/{NAMESPACE}"
                role = client.api("GET", f"{root}{scope}/{ref['kind'].lower()}s/{ref['name']}").document
                rights |= {right for rule in role["rules"] for right in rights_in(rule)}
    return rights


WRITES = {"create": "POST", "update": "PUT", "patch": "PATCH", "delete": "DELETE", "deletecollection": "DELETE"}
Write = tuple[str, str, str, dict[str, Any]]
ASKING = ("tokenreviews", "subjectaccessreviews")
EVERYBODY = ("selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews")


def test_the_token_of_a_serving_pod_cannot_write(installed: Installed) -> None:
    """
    Of all kinds that the API server serves, with all verbs; but for questions, which store nothing.
    """
    client = installed.plane.client
    wanted = [write for write in writes(client) if write[0] not in EVERYBODY]

    answers = statuses(client, client.token(NAMESPACE, "migratable"), wanted)

    allowed = {write[:2] for write, status in zip(wanted, answers, strict=True) if status != 403}
    assert len(wanted) > 200
    assert allowed == {(resource, "create") for resource in ASKING}


def statuses(client: Client, token: str, requests: Sequence[Write]) -> list[int]:
    """The statuses for requests with a token, over one connection."""
    address = urllib.parse.urlsplit(client.url)
    trusted = ssl.create_default_context(cadata=client.ca.cert_pem.decode())
    connection = http.client.HTTPSConnection(str(address.hostname), address.port, context=trusted, timeout=30)
    writable = []
    for _, verb, path, body in requests:
        kind = "application/merge-patch+json" if verb == "patch" else "application/json"
        headers = {"Content-Type": kind, "Authorization": f"Bearer {token}"}
        connection.request(WRITES[verb], path, json.dumps(body), headers)
        answer = connection.getresponse()
        answer.read()
        writable.append(answer.status)
    connection.close()
    return writable


def writes(client: Client) -> Iterator[Write]:
    """A request for each verb of each resource: its name, the verb, where, and what."""
    groups = client.api("GET", "/apis").document["groups"]
    for version in ["api/v1", *(f"apis/{group['preferredVersion']['groupVersion']}" for group in groups)]:
        for resource in client.api("GET", f"/{version}").document["resources"]:
            plural, _, sub = resource["name"].partition("/")
            space = f"/namespaces/{NAMESPACE}" if resource["namespaced"] else ""
            body = {"apiVersion": version.partition("/")[2], "kind": resource["kind"], "metadata": {"name": "any"}}
            for verb in set(resource["verbs"]) & set(WRITES):
                named = "" if verb == "deletecollection" or (verb == "create" and not sub) else "/any"
                yield resource["name"], verb, f"/{version}{space}/{plural}{named}{f'/{sub}' if sub else ''}", body


def test_only_api_servers_with_a_client_certificate_get_a_response(installed: Installed) -> None:
    """
    After an upgrade that requires it, API servers with the certificate still get responses, and others do not.
    """
    client, node = installed.plane.client, installed.kubelet
    path = node.path("configmaps")
    authority = {"ca.crt": installed.plane.ca.cert_pem.decode()}
    client.create(path, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "ours"}, "data": authority})

    installed.helm.upgrade(VALUES | {"clientCertificates": {"configMap": "ours"}})
    node.stop("migratable")
    server = node.start("migratable")
    for service in SERVICES:
        node.publish(service, server)
    wait_until(lambda: refusal(installed, ON_A_CLAIM) is not None, 60, "the new server to be called")

    said = helm_test(installed, "refusal", "api", "metrics")
    assert said["refusal"].startswith("a request without a client certificate is refused")
    assert len(said) == 3
