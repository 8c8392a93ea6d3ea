"""The dry-run API with a cluster shows no more than the API server shows to the same user."""

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.serving import Serving, serving
from tests.surfaces.admission.reviews import Manifest, on_claim, vm
from tests.waiting import wait_until

pytestmark = pytest.mark.apiserver


@dataclass
class Attached:
    """A server with a cluster, two tenants, and a user who may make VMs in the first one's namespace only."""

    plane: ControlPlane
    server: Serving
    mine: str
    theirs: str
    token: str
    powerless: str

    def check(self, *manifests: Manifest, token: str | None = None) -> tuple[int, Any]:
        """Status and answer of POST /v1/check."""
        body = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(manifests)}).encode()
        headers = {"Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        url = f"https://localhost:{self.server.api_port}/v1/check"
        trust = ssl.create_default_context(cadata=self.plane.ca.cert_pem.decode())
        try:
            with urllib.request.urlopen(
                urllib.request.Request(url, body, headers), context=trust, timeout=20
            ) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)


def claim(name: str, namespace: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }


@pytest.fixture(scope="module")
def attached(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attached]:
    """One server for all tests here."""
    client = control_plane.client
    mine, theirs = client.create_namespace("mine"), client.create_namespace("theirs")
    for namespace in (mine, theirs):
        client.create(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims", claim("os", namespace))
    account = f"/api/v1/namespaces/{mine}/serviceaccounts"
    for name in ("maker", "powerless"):
        client.create(account, {"metadata": {"name": name}})
    rights = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{mine}"
    rule = {"apiGroups": ["kubevirt.io"], "resources": ["virtualmachines"], "verbs": ["create"]}
    client.create(f"{rights}/roles", {"metadata": {"name": "maker"}, "rules": [rule]})
    subject = {"kind": "ServiceAccount", "name": "maker", "namespace": mine}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "maker"}
    client.create(f"{rights}/rolebindings", {"metadata": {"name": "maker"}, "roleRef": role, "subjects": [subject]})
    tokens = [
        client.create(f"{account}/{name}/token", {"spec": {"expirationSeconds": 3600}})
        for name in ("maker", "powerless")
    ]
    with serving(control_plane, tmp_path_factory.mktemp("api")) as server:
        yield Attached(control_plane, server, mine, theirs, *(token["status"]["token"] for token in tokens))


def in_namespace(namespace: str) -> Manifest:
    made = vm(volumes=[on_claim("os")])
    made["metadata"]["namespace"] = namespace
    return made


def rules(answer: Any) -> list[tuple[str, str]]:
    return [(finding["rule"], finding["outcome"]) for finding in answer["objects"][0]["findings"]]


def test_a_user_who_may_create_vms_gets_verdicts_with_facts_of_the_cluster(attached: Attached) -> None:
    """
    A claim that is in the cluster but not among the manifests settles the verdict.
    """
    wait_until(
        lambda: ("LM201", "violation") in rules(attached.check(in_namespace(attached.mine), token=attached.token)[1]),
        30,
        "the claim to be known",
    )

    status, answer = attached.check(in_namespace(attached.mine), token=attached.token)

    assert status == 200
    assert answer["objects"][0]["verdict"]["reason"] == "DisksNotLiveMigratable"


def test_without_a_token_the_manifests_alone_are_judged(attached: Attached) -> None:
    """
    A stranger's claim stays unproven, and the answer says how to do better.
    """
    status, answer = attached.check(in_namespace(attached.mine))

    assert status == 200
    assert rules(answer) == [("LM201", "undetermined")]
    assert "Authorization: Bearer" in answer["notes"][0]


def test_a_forbidden_and_a_missing_namespace_give_the_same_response(attached: Attached) -> None:
    """
    A user without rights in a namespace gets the same bytes whether the namespace exists or not.
    """
    answers = [
        attached.check(in_namespace(namespace), token=attached.token)
        for namespace in (attached.theirs, "no-such-namespace")
    ]
    answers.append(attached.check(in_namespace(attached.mine), token=attached.powerless))

    assert answers[0] == answers[1] == answers[2]
    assert answers[0][0] == 403


def test_one_forbidden_namespace_among_many_refuses_the_request(attached: Attached) -> None:
    """
    The rights of the user are checked for each namespace of the manifests.
    """
    status, _ = attached.check(in_namespace(attached.mine), in_namespace(attached.theirs), token=attached.token)

    assert status == 403


def test_objects_of_other_namespaces_count_only_for_users_who_may_read_them(attached: Attached) -> None:
    """
    The source of a clone settles the verdict for users who may read it. Other users get the response for a missing
    source.
    """
    client = attached.plane.client
    kind = "VirtualMachineClusterInstancetype"
    gpus = [{"name": "gpu", "deviceName": "nvidia.com/A10"}]
    spec = {"cpu": {"guest": 1}, "memory": {"guest": "1Gi"}, "gpus": gpus}
    client.create(
        f"/apis/instancetype.kubevirt.io/v1beta1/{kind.lower()}s",
        {
            "apiVersion": "instancetype.kubevirt.io/v1beta1",
            "kind": kind,
            "metadata": {"name": "with-gpu"},
            "spec": spec,
        },
    )
    golden = claim("golden", attached.theirs)
    golden["metadata"]["labels"] = {"instancetype.kubevirt.io/default-instancetype": "with-gpu"}
    client.create(f"/api/v1/namespaces/{attached.theirs}/persistentvolumeclaims", golden)

    before = attached.check(cloning(attached, "golden"), token=attached.token)
    absent = attached.check(cloning(attached, "absent"), token=attached.token)
    reads = ("--verb=get", "--resource=pvc", "-n", attached.theirs)
    client.kubectl("create", "role", "golden", *reads)
    account = f"--serviceaccount={attached.mine}:maker"
    client.kubectl("create", "rolebinding", "golden", "--role=golden", account, "-n", attached.theirs)

    assert "with-gpu" not in json.dumps(before)
    assert json.dumps(before).replace("golden", "absent") == json.dumps(absent)
    wait_until(
        lambda: "with-gpu" in json.dumps(attached.check(cloning(attached, "golden"), token=attached.token)),
        30,
        "the new right to be seen",
    )


def cloning(attached: Attached, source: str) -> Manifest:
    """A VM whose instancetype is inferred from the clone of another namespace's claim."""
    storage = {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}}
    disk = {"source": {"pvc": {"namespace": attached.theirs, "name": source}}, "storage": storage}
    made = vm(
        outer={
            "instancetype": {"inferFromVolume": "os"},
            "dataVolumeTemplates": [{"metadata": {"name": "os"}, "spec": disk}],
        },
        volumes=[{"name": "os", "dataVolume": {"name": "os"}}],
    )
    made["metadata"]["namespace"] = attached.mine
    return made


@pytest.mark.parametrize("token", ["", "junk", "a.b.c", "ä", "x" * 20000])
def test_an_invalid_token_is_refused(attached: Attached, token: str) -> None:
    """
    The response is 401 with a problem, and it does not contain the token.
    """
    try:
        status, answer = attached.check(in_namespace(attached.mine), token=token)
    except UnicodeEncodeError:
        pytest.skip("no HTTP client sends that")

    assert status == 401
    assert answer == {"title": "The token is not valid for this cluster.", "status": 401}


def test_impersonation_headers_and_names_of_other_namespaces_have_no_effect(attached: Attached) -> None:
    """
    A claim of another namespace is not found through the name of a DataVolume, and impersonation headers are ignored.
    """
    body = in_namespace(attached.mine)
    body["spec"]["template"]["spec"]["volumes"] = [{"name": "os", "persistentVolumeClaim": {"claimName": "elsewhere"}}]

    status, answer = attached.check(body, token=attached.token)

    assert status == 200
    assert rules(answer) == [("LM201", "undetermined")]


def test_the_log_contains_no_token(attached: Attached) -> None:
    """
    Tokens reach neither log nor metrics.
    """
    log = Path(attached.server.log).read_text()

    assert attached.token not in log
    assert attached.token not in attached.server.metrics()
