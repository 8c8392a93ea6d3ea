"""The nasty inputs that an API server forwards, sent to a real one with the webhook."""

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.apiserver import crds
from tests.apiserver.audit_log import AuditLog
from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.serving import Serving, install_hooks, running
from tests.nasty.door import CANARY, HOLE, TENANT, Manifest, nested, pierced, secretive, without_lead
from tests.surfaces.admission.reviews import claim, on_claim
from tests.waiting import wait_until

pytestmark = pytest.mark.apiserver

SERVER = "migratable-server"
"""The user as whom the webhook reads the cluster."""
VMS = f"/apis/kubevirt.io/v1/namespaces/{TENANT}/virtualmachines"
AT_SPEC = "spec.template.spec"
CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"


@dataclass(frozen=True)
class Reply:
    """The response of the API server: status, whole body, warnings."""

    status: int
    body: bytes
    warnings: tuple[str, ...]

    @property
    def causes(self) -> dict[str, str]:
        """Messages by field, of a denial of ours."""
        document = json.loads(self.body)
        assert self.status == 422, document
        assert "admission webhook" in document["message"], document["message"]
        return {cause.get("field", ""): without_lead(cause["message"]) for cause in document["details"]["causes"]}


@dataclass
class Cluster:
    """A control plane with the webhook in force, and all that was said."""

    plane: ControlPlane
    server: Serving
    audit: AuditLog
    said: list[bytes] = field(default_factory=list)

    def post(self, body: bytes, path: str = f"{VMS}?fieldValidation=Ignore") -> Reply:
        """Creates what these bytes are, as they are."""
        request = urllib.request.Request(
            self.plane.url + path, method="POST", data=body, headers={"Content-Type": "application/json"}
        )
        try:
            with self.plane.client._opener.open(request, timeout=60) as answer:
                status, text, told = answer.status, answer.read(), answer.headers.get_all("Warning", ())
        except urllib.error.HTTPError as refusal:
            with refusal:
                status, text, told = refusal.code, refusal.read(), refusal.headers.get_all("Warning", ())
        if status >= 300:  # what is stored is told back to whom it belongs
            self.said.append(text)
        return Reply(status, text, tuple(header.split(" ", 2)[2].strip('"') for header in told))

    def create(self, manifest: Manifest, *, dry_run: bool = True) -> Reply:
        """Creates an object, by default only in a dry run."""
        return self.post(json.dumps(manifest).encode(), f"{VMS}?fieldValidation=Ignore{'&dryRun=All' * dry_run}")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The project's own definitions, which keep unknown fields in a template's metadata, and a log of all requests."""
    folder = tmp_path_factory.mktemp("cluster")
    log = AuditLog(folder)
    with ControlPlane(crds=crds.OWN, apiserver_flags=log.flags) as plane:
        reader = plane.client.kubeconfig(SERVER, ("system:masters",))
        with running(plane.ca, folder / "serve", "--kubeconfig", str(reader)) as server:
            plane.client.create(
                "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": TENANT}}
            )
            for name, mode in (("shared", "ReadWriteMany"), ("single", "ReadWriteOnce")):
                body = claim(name, mode)
                body["spec"]["resources"] = {"requests": {"storage": "1Gi"}}
                plane.client.create(f"/api/v1/namespaces/{TENANT}/persistentvolumeclaims", body)
            plane.client.create(
                f"/apis/apps/v1/namespaces/{TENANT}/controllerrevisions",
                {
                    "apiVersion": "apps/v1",
                    "kind": "ControllerRevision",
                    "metadata": {"name": "junk"},
                    "revision": 1,
                    "data": {"spec": {"cpu": CANARY}, CANARY: [CANARY]},
                },
            )
            install_hooks(plane, server)
            yield Cluster(plane, server, log)


@pytest.fixture
def cluster(whole: Cluster) -> Iterator[Cluster]:
    """The cluster; whatever a test sent, the webhook never failed, and nothing was told that must not be."""
    whole.said.clear()
    yield whole
    told = b"\n".join([*whole.said, whole.server.log.read_bytes(), whole.server.metrics().encode()])
    assert b"failed calling webhook" not in told
    assert CANARY.encode() not in told
    assert b"Traceback" not in told
    assert b"internal error" not in told


@pytest.mark.parametrize("depth", [600, 3000, 9000])
def test_i1_deep_nesting_that_an_api_server_forwards_is_denied(cluster: Cluster, depth: int) -> None:
    """
    I1, M10: nesting in a place where unknown fields are kept reaches the webhook, which denies it with its place.
    """
    made = secretive()
    made["spec"]["template"]["metadata"]["x"] = HOLE.strip('"')

    refused = cluster.post(pierced(json.dumps(made).encode(), nested(depth)))

    assert refused.causes == {
        "spec.template.metadata.x": "nesting deeper than 512 levels. KubeVirt reads no field this deep"
    }


def test_i3_kinds_that_are_not_judged_pass_a_webhook_for_all_kinds(cluster: Cluster) -> None:
    """
    I3: the webhook lets kinds pass that it does not judge, including pods and their deletion, under Fail.
    """
    client = cluster.plane.client
    configuration = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "too-wide"},
        "webhooks": [
            {
                "name": "everything.validate.migratable",
                "clientConfig": {
                    "url": f"https://127.0.0.1:{cluster.server.admission_port}/validate",
                    "caBundle": cluster.plane.ca.bundle,
                },
                "rules": [{"apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*/*"], "operations": ["*"]}],
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "failurePolicy": "Fail",
            }
        ],
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "pod"},
        "spec": {"containers": [{"name": "c", "image": "registry.example.org/c:1"}]},
    }
    pods = f"/api/v1/namespaces/{TENANT}/pods"
    sample = 'migratable_reviews_total{door="validate",kind="unexpected",operation="CREATE",outcome="allowed"}'
    client.create(CONFIGURATIONS, configuration)
    try:
        wait_until(
            lambda: client.api("POST", f"{pods}?dryRun=All", pod).status == 201 and sample in cluster.server.metrics(),
            30,
            "the configuration to be in force",
        )

        done = [
            client.api("POST", pods, pod).status,
            client.api("PATCH", f"{pods}/pod", {"metadata": {"labels": {"a": "b"}}}, content_type=MERGE).status,
            client.api("DELETE", f"{pods}/pod?gracePeriodSeconds=0").status,
            client.api("POST", f"/api/v1/namespaces/{TENANT}/configmaps", named("ConfigMap")).status,
            client.api("DELETE", f"/api/v1/namespaces/{TENANT}/configmaps").status,
        ]
    finally:
        client.api("DELETE", f"{CONFIGURATIONS}/too-wide")

    assert done == [201, 200, 200, 201, 200]


MERGE = "application/merge-patch+json"


def named(kind: str) -> Manifest:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": "it"}}


def test_i5_the_last_of_two_duplicate_keys_counts(cluster: Cluster) -> None:
    """
    I5: an API server that accepts duplicates forwards the last one, which is judged.
    """
    made = secretive()
    made["spec"]["template"]["spec"]["volumes"] = ["@@"]
    body = json.dumps(made)
    good, bad = (json.dumps([on_claim(name)]) for name in ("shared", "single"))

    of_good, of_bad = (
        cluster.post(
            body.replace('"volumes": ["@@"]', f'"volumes": {first}, "volumes": {last}').encode(),
            f"{VMS}?fieldValidation=Ignore&dryRun=All",
        )
        for first, last in ((bad, good), (good, bad))
    )

    assert of_good.status == 201
    assert list(of_bad.causes) == [f"{AT_SPEC}.volumes[0]"]


def test_i6_a_key_in_another_case_is_not_read(cluster: Cluster) -> None:
    """
    I6: where definitions keep unknown fields such a key comes to the webhook, and no rule takes it for the other.
    """
    reply = cluster.create(secretive(EvictionStrategy="nonsense", Volumes=[on_claim("single")]))

    assert (reply.status, reply.warnings) == (201, ())


@pytest.mark.parametrize(
    ("port", "who"),
    [
        ("49152", "we"),
        ("49152.0", "we"),
        ("4.9152e4", "we"),
        (str(2**32 + 49152), "we, by its size"),
        ("49152.5", "the API server"),
        ('"49152"', "the API server"),
        ("true", "the API server"),
        ("NaN", "the API server"),
        ("1e400", "the API server"),
        ("9" * 5000, "the API server"),
    ],
    ids=lambda text: text[:10],
)
def test_i7_every_port_is_judged_as_kubevirt_reads_it(cluster: Cluster, port: str, who: str) -> None:
    """
    I7: every spelling of 49152 is denied. A number that does not fit into KubeVirt's type is denied for its size,
    although the API server accepts it. The API server rejects all others.
    """
    manifest = secretive(devices={"interfaces": [{"name": "default", "masquerade": {}, "ports": [{"port": "@@"}]}]})

    reply = cluster.post(pierced(json.dumps(manifest).encode(), port))

    if who == "the API server":
        assert reply.status in (400, 422)
        assert b"admission webhook" not in reply.body
        return
    (message,) = reply.causes.values()
    assert ("<= 2147483647" in message) == (who == "we, by its size")


def test_i8_lookalike_letters_are_escaped_in_denials(cluster: Cluster) -> None:
    """
    I8: the text of the denial shows which letter differs.
    """
    reply = cluster.create(secretive(evictionStrategy="L\u0456veMigrate"))

    (message,) = reply.causes.values()
    assert message.startswith("evictionStrategy 'L\\u0456veMigrate' is not one of")


@pytest.mark.parametrize("odd", ["\\u0000", "\\u001b[31mred", "a\\r\\nb", "a\\tb", "\\ud800", "\xff"], ids=repr)
def test_i9_warnings_arrive_with_any_characters_in_a_name(cluster: Cluster, odd: str) -> None:
    """
    I9: API servers silently drop warnings with control characters. The warnings contain none, so kubectl prints them.
    """
    manifest = secretive(volumes=[{"name": "os", "persistentVolumeClaim": {"claimName": "@@"}}])

    reply = cluster.post(
        pierced(json.dumps(manifest).encode(), f'"{odd}"'.encode("latin-1")), f"{VMS}?fieldValidation=Ignore&dryRun=All"
    )

    assert reply.status == 201
    (warning,) = reply.warnings
    assert warning.startswith("Migratable [LM201]: ")
    assert warning.endswith(f" ({AT_SPEC}.volumes[0])")
    assert warning.isprintable()


def test_i18_ten_of_250_violations_are_listed_and_the_others_counted(cluster: Cluster) -> None:
    """
    I18: of the 250 violations that a definition allows ten are told, and the number of the others.
    """
    volumes = [on_claim("single", f"disk{number}") for number in range(250)]

    reply = cluster.create(secretive(volumes=volumes))

    assert len(reply.causes) == 11
    assert reply.causes[f"{AT_SPEC}.volumes"] == "240 more problems are not shown"


def test_i19_invalid_names_cause_no_request(cluster: Cluster) -> None:
    """
    I19: for invalid names of claims, instancetypes and revisions no request is sent, and the verdict stays open. The
    webhook requests only the kinds that it needs.
    """
    cluster.create(secretive(volumes=[on_claim("single")]))
    wait_until(lambda: "/persistentvolumeclaims/single" in asked(cluster), 30, "the log of requests")
    hostile = ["../secrets/db", "a%2f..", "x?watch=1", "a" * 254, "..", "x/status", "x#y"]

    for name in hostile:
        reply = cluster.create(secretive(volumes=[on_claim(name)]))
        assert (reply.status, len(reply.warnings)) == (201, 1)
        for reference in ({"name": name}, {"name": "x", "revisionName": name}):
            assert cluster.create(secretive(outer={"instancetype": reference})).status == 201
            assert cluster.create(secretive(outer={"preference": reference})).status == 201
    cluster.create(secretive(volumes=[on_claim("seen-last")]))

    wait_until(lambda: "/persistentvolumeclaims/seen-last" in asked(cluster), 30, "the log of requests")
    paths = {urlsplit(splitline).path for splitline in asked(cluster).splitlines()}
    assert [path for path in paths if not re.fullmatch(r"(/[a-z0-9]([a-z0-9.-]{0,80}[a-z0-9])?)+", path)] == []
    assert [path for path in paths if "secrets" in path or path.endswith("/status")] == []


def asked(cluster: Cluster) -> str:
    """The addresses that the webhook asked the API server for, one a line."""
    return "\n".join(request["requestURI"] for request in cluster.audit.requests(SERVER))


def test_i21_a_tenant_cannot_exempt_an_object(cluster: Cluster) -> None:
    """
    I21: annotations and labels that ask for an exemption, and invented owners, do not change the verdict.
    """
    manifest = secretive(volumes=[on_claim("single")])
    marks = {"migratable/exempt": "true", "migratable.io/ignore": "LM201"}
    manifest["metadata"] |= {
        "labels": marks,
        "annotations": marks,
        "ownerReferences": [
            {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachinePool", "name": "x", "uid": "1", "controller": True}
        ],
    }

    assert list(cluster.create(manifest).causes) == [f"{AT_SPEC}.volumes[0]"]


def test_i22_server_written_fields_of_a_new_vm_are_ignored(cluster: Cluster) -> None:
    """
    I22: a new VM with a deletion timestamp or a ready status is judged like any other.
    """
    manifest = secretive(volumes=[on_claim("single")])
    manifest["metadata"] |= {"deletionTimestamp": "2020-01-01T00:00:00Z", "deletionGracePeriodSeconds": 0}
    manifest["status"] = {"ready": True}

    assert list(cluster.create(manifest).causes) == [f"{AT_SPEC}.volumes[0]"]


@pytest.mark.parametrize(
    "reference",
    [
        {"name": "missing"},
        {"name": "x", "revisionName": "missing"},
        {"name": "x", "revisionName": "junk"},
        {"name": "x", "kind": "Deployment"},
        {"inferFromVolume": "missing"},
    ],
    ids=lambda labels: "-".join(labels.values()),
)
def test_i23_an_invalid_instancetype_leaves_the_verdict_open(cluster: Cluster, reference: Any) -> None:
    """
    I23: missing, of another kind, or a revision full of junk: the user is warned and told why.
    """
    reply = cluster.create(secretive(outer={"instancetype": reference}))

    assert reply.status == 201
    assert any(re.fullmatch(r"Migratable \[LM505\]: .*\(spec\.instancetype.*\)", warning) for warning in reply.warnings)


def test_i24_neither_denials_nor_logs_contain_secrets(cluster: Cluster) -> None:
    """
    I24: neither a denial nor the logs contain user data, annotations or credentials.
    """
    reply = cluster.create(secretive(volumes=[on_claim("single")], evictionStrategy="nonsense"))

    assert list(reply.causes) == [f"{AT_SPEC}.volumes[0]", f"{AT_SPEC}.evictionStrategy"]
