"""The admission endpoint: every review with a UID gets a response that API servers accept."""

import base64
import json
import logging
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import generate_latest

from tests.generating import Manifest, World, carriers, kubevirts, worlds
from tests.surfaces.admission.reviews import claim, on_claim, read, review, vm
from tests.surfaces.asgi import Answer, call
from tests.surfaces.doors import Doors
from webhook.check.check import ReleaseChoice
from webhook.facts.objects_world import ObjectsWorld
from webhook.facts.world import World as Facts
from webhook.kubevirt.releases import NEWEST, only
from webhook.policy.policy import Policy
from webhook.serve.manifest_facts import ManifestSource
from webhook.serve.metrics import Metrics
from webhook.surfaces.admission.endpoint import CONFIRMING_THREADS, LARGE, MAX_LARGE, ActiveConfiguration, AdmissionApp
from webhook.surfaces.admission.responses import MAX_CAUSES, MAX_WARNING, MAX_WARNINGS

CAPTURED = sorted((Path(__file__).parents[2] / "data" / "admissionreviews").glob("*.json"))
UID = "705ab4f5-6393-11e8-b7cc-42010a800002"
CANARY = "s3cr3t-canary"
POSTED = [("content-type", "application/json")]
CREATION = review("CREATE", vm(volumes=[on_claim("os")]))


class Unready(ManifestSource):
    """A cluster that has not been read yet."""

    @property
    def ready(self) -> bool:
        return False


class Broken(ManifestSource):
    """An unexpected error."""

    def world(self) -> Facts:
        raise RuntimeError(CANARY)


class Given(ManifestSource):
    """Facts without files."""

    def __init__(self, world: World) -> None:
        super().__init__([])
        self._world = ObjectsWorld([read(manifest) for manifest in world])


def configuration() -> ActiveConfiguration:
    return ActiveConfiguration(Policy(), ReleaseChoice(only(NEWEST), str(NEWEST)), "kubevirt", "2026-01-01")


def door(facts: ManifestSource | None = None, **more: Any) -> AdmissionApp:
    return AdmissionApp(
        facts or ManifestSource([]), more.pop("configuration", configuration), Metrics(), time.monotonic, **more
    )


def post(to: AdmissionApp, body: bytes, path: str = "/validate") -> Answer:
    return call(to, "POST", path, body, POSTED)


def response(answer: Answer) -> dict[str, Any]:
    """The response, once everything holds that an API server insists on (``k8s.io/apiserver`` request/admissionreview.go)."""
    assert (answer.status, answer.header("content-type")) == (200, "application/json")
    assert answer.header("content-length") == str(len(answer.body))
    assert set(answer.json) == {"apiVersion", "kind", "response"}
    assert (answer.json["apiVersion"], answer.json["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")
    said: dict[str, Any] = answer.json["response"]
    assert isinstance(said["uid"], str)
    assert said["allowed"] in (True, False)
    assert set(said) <= {"uid", "allowed", "status", "patch", "patchType", "warnings", "auditAnnotations"}
    assert ("status" in said) is not said["allowed"]
    assert said.get("patchType", "JSONPatch") == "JSONPatch"
    assert ("patch" in said) is ("patchType" in said)
    if not said["allowed"]:
        status = said["status"]
        assert (status["code"], status["reason"]) == (422, "Invalid")
        assert 0 < len(status["message"]) <= 4096
        assert 0 < len(status["details"]["causes"]) <= MAX_CAUSES + 1
        assert all(
            set(cause) <= {"reason", "message", "field"} and cause["message"] for cause in status["details"]["causes"]
        )
    for warning in said.get("warnings", ["-"]):
        assert 0 < len(warning) <= MAX_WARNING
        assert warning.isprintable()
    assert len(said.get("warnings", [])) <= MAX_WARNINGS
    assert all(isinstance(value, str) for value in said.get("auditAnnotations", {}).values())
    return said


@pytest.mark.parametrize("path", ["/validate", "/mutate"])
@pytest.mark.parametrize("file", CAPTURED, ids=lambda file: file.stem)
def test_every_captured_review_gets_its_response(file: Path, path: str) -> None:
    """
    Each captured review gets an answer for its UID; of all of them one VMI, with a bridge on the pod network, is refused.
    """
    body = file.read_bytes()

    said = response(post(door(), body, path))

    assert said["uid"] == json.loads(body)["request"]["uid"]
    assert said["allowed"] is not (path == "/validate" and file.stem == "17-create-vmi-serviceaccount")


def test_a_denial_names_field_rule_and_remedy(tmp_path: Path) -> None:
    """
    422 with a cause for every violation, each with what to write instead.
    """
    doors = Doors(tmp_path, [claim("os", "ReadWriteOnce")])

    said = response(post(doors.door, CREATION))

    assert said["uid"] == UID
    (cause,) = said["status"]["details"]["causes"]
    assert (cause["reason"], cause["field"]) == ("FieldValueInvalid", "spec.template.spec.volumes[0]")
    assert cause["message"].startswith(
        "Migratable refuses this request: the VirtualMachine cannot be live-migrated, so a node drain would hang or shut it "
        "down. Reason: PVC 'os' is ReadWriteOnce, not ReadWriteMany (RWX). Create a PVC with "
    )
    assert cause["message"].endswith("[LM201 claim-not-shared]")
    assert (said["status"]["details"]["kind"], said["status"]["details"]["name"]) == ("VirtualMachine", "web")
    lead, _, text = cause["message"].partition(" Reason: ")
    assert said["status"]["message"] == f"{lead} {cause['field']}: {text}"


@pytest.mark.parametrize("policy", ["atMost: {}", "namespaces: [{{names: [tenant], atMost: {}}}]"])
@pytest.mark.parametrize(("most", "warned"), [("deny", None), ("warn", True), ("audit", False)])
@pytest.mark.parametrize(
    "selector",
    ['{"a": true}', '{"a": ' + "[" * 600 + "]" * 600 + "}", "[" * 3000 + "]" * 3000],
    ids=lambda value: value[:7],
)
def test_an_unreadable_object_is_denied_within_the_limit_of_the_policy(
    tmp_path: Path, policy: str, most: str, warned: bool | None, selector: str
) -> None:
    """
    Under `atMost: warn`, objects with wrong types or deep nesting are allowed, too.
    """
    doors = Doors(tmp_path, [], policy.format(most))
    machine = vm()
    machine["spec"]["template"]["spec"]["nodeSelector"] = "@@"
    body = review("CREATE", machine).replace(b'"@@"', selector.encode())

    said = response(post(doors.door, body))

    assert said["allowed"] is (warned is not None)
    assert bool(said.get("warnings")) is bool(warned)


def test_an_allowed_request_has_audit_annotations() -> None:
    """
    The verdict and the rules with something to say stand in the audit annotations.
    """
    said = response(post(door(), CREATION))

    assert said["auditAnnotations"] == {"findings": "LM201", "live-migratable": "unproven"}
    assert said["warnings"] == [
        (
            "Migratable [LM201]: PVC 'os' is not in the input. Add the manifest of PVC 'os' to the input. "
            "(spec.template.spec.volumes[0])"
        )
    ]


def test_a_patch_is_json_patch_in_base64() -> None:
    """
    Absent settings of the KubeVirt CR are added by RFC 6902 operations.
    """
    cr = {"apiVersion": "kubevirt.io/v1", "kind": "KubeVirt", "metadata": {"name": "kubevirt", "namespace": "kubevirt"}}

    said = response(post(door(), review("CREATE", {**cr, "spec": {}}), "/mutate"))

    patch = json.loads(base64.b64decode(said["patch"]))
    assert patch[0] == {"op": "add", "path": "/spec/configuration", "value": {}}
    assert {operation["op"] for operation in patch} == {"add"}


@pytest.mark.parametrize("path", ["/validate", "/mutate"])
@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(lambda: door(Broken([])), id="facts"),
        pytest.param(lambda: door(configuration=lambda: 1 / 0), id="settings"),
    ],
)
def test_internal_errors_allow_the_request(
    broken: Callable[[], AdmissionApp], path: str, caplog: pytest.LogCaptureFixture
) -> None:
    """
    The response is 200 and allowed, with a warning, an audit annotation, a log line and a metric, without the error's text.
    """
    to = broken()

    with caplog.at_level(logging.INFO):
        answer = post(to, CREATION, path)

    said = response(answer)
    assert (said["uid"], said["allowed"]) == (UID, True)
    assert said["warnings"] == ["Migratable could not judge this object because of an internal error. See its log."]
    assert said["auditAnnotations"]["internal"] in ("RuntimeError", "ZeroDivisionError")
    (record,) = [entry for entry in caplog.records if entry.levelno == logging.ERROR]
    assert (record.getMessage(), record.__dict__["uid"]) == ("internal error", UID)
    assert CANARY not in answer.text + caplog.text
    metrics = generate_latest(to.observer.registry).decode()  # type: ignore[attr-defined]
    assert f'door="{path[1:]}",kind="VirtualMachine",operation="CREATE",outcome="internal"}} 1.0' in metrics


def test_reviews_get_503_before_the_cluster_is_read() -> None:
    """
    503 with Retry-After, which API servers repeat by themselves; never an answer out of nothing.
    """
    answer = post(door(Unready([])), CREATION)

    assert (answer.status, answer.header("retry-after")) == (503, "1")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/", 404),
        ("POST", "/validate/x", 404),
        ("GET", "/v1/rules", 404),
        ("GET", "/validate", 405),
        ("PUT", "/mutate", 405),
    ],
)
def test_other_paths_and_methods_are_errors(method: str, path: str, status: int) -> None:
    """
    Two paths, one method; all else is refused in one line, and nothing ever redirects an API server.
    """
    answer = call(door(), method, path, CREATION)

    assert answer.status == status
    assert answer.text.count("\n") == 1
    assert answer.header("allow") == ("POST" if status == 405 else None)


def test_a_draining_server_answers_and_closes() -> None:
    """
    Every answer while draining closes its connection, so that API servers leave it by themselves.
    """
    to = door(draining=lambda: True)
    unready = door(Unready([]), draining=lambda: True)
    full = door(draining=lambda: True, large=Counter(all=MAX_LARGE))
    too_large = b" " * (LARGE + 1)

    answers = [
        post(to, CREATION),
        post(to, CREATION, "/mutate"),
        post(to, b"no review"),
        call(to, "GET", "/validate"),
        call(to, "POST", "/nope"),
        post(unready, CREATION),
        post(full, too_large),
    ]

    assert [answer.status for answer in answers] == [200, 200, 400, 405, 404, 503, 503]
    assert {answer.header("connection") for answer in answers} == {"close"}
    assert post(door(), CREATION).header("connection") is None


def test_thirty_two_reviews_can_read_live_at_one_time() -> None:
    """
    Each takes a thread; further reviews wait for one.
    """
    assert CONFIRMING_THREADS == 32


def test_a_body_above_the_limit_gets_413() -> None:
    """
    413 as soon as more than 8 MiB have come, and the connection is closed.
    """
    answer = call(door(), "POST", "/validate", [b" " * 2**20] * 64, POSTED)

    assert (answer.status, answer.header("connection")) == (413, "close")


@settings(deadline=None, max_examples=80)
@given(st.one_of(carriers(), kubevirts(wild=True)), worlds(), st.sampled_from(("/validate", "/mutate")))
def test_every_response_is_valid_for_api_servers(manifest: Manifest, world: World, path: str) -> None:
    """
    For generated objects in generated clusters: the right UID, booleans that are booleans, no patch from validation.
    """
    to = door(Given(world))

    said = response(post(to, review("CREATE", manifest), path))

    assert said["uid"] == UID
    assert path == "/mutate" or "patch" not in said
    assert path == "/validate" or said["allowed"]


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def spoilt(draw: st.DrawFn) -> bytes:
    """A review by an API server in which something of the object is something else."""
    body = json.loads(draw(st.sampled_from(CAPTURED)).read_bytes())
    here: Any = body["request"].get("object") or {}
    for _ in range(draw(st.integers(0, 6))):
        inner = [
            value for value in (here.values() if isinstance(here, dict) else here) if isinstance(value, dict | list)
        ]
        if not inner:
            break
        here = draw(st.sampled_from(inner))
    value = draw(ANY)
    if isinstance(here, list):
        here[:] = [value, *here[1:]]
    elif here:
        here[draw(st.sampled_from(sorted(here)))] = value
    else:
        here["added"] = value
    return json.dumps(body).encode()


@settings(deadline=None, max_examples=150)
@given(spoilt(), st.sampled_from(("/validate", "/mutate")))
def test_a_damaged_object_gets_a_response(body: bytes, path: str) -> None:
    """
    Any value in any field: the response is 200 with the UID of the review.
    """
    assert response(post(door(), body, path))["uid"] == json.loads(body)["request"]["uid"]


@settings(deadline=None, max_examples=100)
@given(st.one_of(st.binary(max_size=300), ANY.map(lambda value: json.dumps(value).encode())))
def test_a_body_that_is_not_a_review_gets_400(body: bytes) -> None:
    """
    One line that repeats nothing of what was sent.
    """
    answer = post(door(), body)

    assert answer.status == 400
    assert answer.text.count("\n") == 1
    assert len(answer.text) < 200


def test_denials_and_warnings_end_with_the_help_of_the_policy(tmp_path: Path) -> None:
    """
    ``help`` is part of the last cause, of the message, and of the warnings.
    """
    for policy in ("help: team-vm@example.com", "help: team-vm@example.com\natMost: warn"):
        doors = Doors(tmp_path, [claim("os", "ReadWriteOnce")], policy)
        said = response(post(doors.door, CREATION))
        if said["allowed"]:
            assert said["warnings"][-1] == "Help: team-vm@example.com"
            opening = "Migratable [LM201]: allowed now (mode warn), refused in mode enforce: "
            assert said["warnings"][0].startswith(f"{opening}PVC 'os' is ReadWriteOnce, ")
        else:
            assert said["status"]["details"]["causes"][0]["message"].endswith(" Help: team-vm@example.com")
            assert said["status"]["message"].endswith(" Help: team-vm@example.com")


@pytest.mark.parametrize("strategy", ["LiveMigrate", "LiveMigrateIfPossible"])
def test_a_denial_does_not_repeat_the_effect_on_a_drain_as_a_warning(tmp_path: Path, strategy: str) -> None:
    """
    Its opening sentence states the effect. Mode warn has no such sentence, so it warns.
    """
    creation = review("CREATE", vm(volumes=[on_claim("os")], evictionStrategy=strategy))

    denied = response(post(Doors(tmp_path, [claim("os", "ReadWriteOnce")]).door, creation))
    warned = response(post(Doors(tmp_path, [claim("os", "ReadWriteOnce")], "atMost: warn").door, creation))

    assert not denied["allowed"]
    assert "warnings" not in denied
    assert [line[:18] for line in warned["warnings"]] == [
        "Migratable [LM201]",
        f"Migratable [{'LM501' if strategy == 'LiveMigrate' else 'LM504'}]",
    ]


def test_a_denial_of_an_unreadable_object_names_migratable_and_live_migration(tmp_path: Path) -> None:
    """
    In the first cause and in the message.
    """
    manifest = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "metadata": {"name": "web"}}

    status = response(post(Doors(tmp_path, []).door, review("CREATE", manifest | {"spec": {"template": "x"}})))[
        "status"
    ]

    opening = (
        "Migratable refuses this request: a field of the VirtualMachine that live migration depends on cannot be read"
    )
    assert status["details"]["causes"][0]["message"].startswith(opening)
    assert status["message"].startswith(opening)
