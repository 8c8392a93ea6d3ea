"""The dry-run API: reports, errors, and what it never discloses."""

import asyncio
import json
import threading
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.surfaces.api.api import APP, JSON, YAML, api, post
from tests.surfaces.asgi import Answer, call
from tests.surfaces.manifests import BAD, CLAIM, GOOD, UNPROVEN
from webhook.errors import Unavailable
from webhook.policy.policy import Policy, Profile
from webhook.surfaces.api.app import build_api
from webhook.surfaces.api.child_process import Queue
from webhook.surfaces.api.http import HEADERS
from webhook.surfaces.api.judge_client import MAX_WAITING, WAITING
from webhook.yaml.document import MAX_BYTES

KUBEVIRT = """\
apiVersion: kubevirt.io/v1
kind: KubeVirt
metadata: {name: kubevirt, namespace: kubevirt}
status: {observedKubeVirtVersion: v1.4.1}
"""
CANARY = "s3cr3t-canary"


def rules_of(answer: Answer) -> list[str]:
    assert answer.status == 200, answer.text
    return [
        f"{finding['action']} {finding['rule']}" for judged in answer.json["objects"] for finding in judged["findings"]
    ]


@pytest.mark.parametrize(
    "kind",
    [
        "application/yaml",
        "application/x-yaml",
        "text/yaml",
        "text/x-yaml",
        "Application/YAML; charset=utf-8",
        "application/json",
        "application/json;charset=UTF-8",
    ],
)
def test_json_and_yaml_are_judged(kind: str) -> None:
    """
    The same reader reads both, whichever of the two the Content-Type names.
    """
    answer = post(BAD, kind)

    assert answer.header("content-type") == JSON
    assert rules_of(answer) == ["deny LM101", "warn LM302", "deny LM302"]
    assert [judged["name"] for judged in answer.json["objects"]] == ["bad"]


@pytest.mark.parametrize(
    "kind",
    [None, "", "text/plain", "text/html", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"],
)
def test_content_types_of_html_forms_are_refused(kind: str | None) -> None:
    """
    So the page of another site cannot post here.
    """
    answer = post(GOOD, kind)

    assert answer.status == 415
    assert_problem(answer, "Send application/yaml or application/json.")


def test_references_are_looked_up_in_the_request_and_in_the_facts() -> None:
    """
    A claim in the request or among the facts of the server decides an unproven result.
    """
    alone, along, behind = post(UNPROVEN), post(f"{UNPROVEN}---\n{CLAIM}"), post(UNPROVEN, app=api(background=CLAIM))

    assert [item.json["summary"]["unproven"] for item in (alone, along, behind)] == [1, 0, 0]


def test_parameters_choose_release_and_profile() -> None:
    """
    A parameter overrides the pinned release, which overrides the release of the KubeVirt CR.
    """
    pinned = api(Policy(profile=Profile.EXACT), release="1.5")

    assert (post(GOOD).json["release"], post(GOOD).json["profile"]) == ("any", "strict")
    assert post(f"{GOOD}---\n{KUBEVIRT}").json["release"] == "1.4"
    assert post(f"{GOOD}---\n{KUBEVIRT}", app=pinned).json["release"] == "1.5"
    assert post(GOOD, app=pinned, query="release=1.6").json["release"] == "1.6"
    assert post(GOOD, app=pinned).json["profile"] == "exact"
    assert post(GOOD, app=pinned, query="profile=strict").json["profile"] == "strict"


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("release=0.58", "unsupported release '0.58'"),
        ("release=newest", "unsupported release 'newest'"),
        ("release=" + "1" * 21, "release: String should have at most 20 characters"),
        ("profile=lenient", "profile: Input should be 'strict' or 'exact'"),
    ],
)
def test_an_invalid_parameter_is_named(query: str, title: str) -> None:
    """
    The status is 400, and the error names the parameter.
    """
    answer = post(GOOD, query=query)

    assert answer.status == 400
    assert_problem(answer, title, code="bad-input")


@pytest.mark.parametrize(
    ("body", "title", "place"),
    [
        (b"", "the body is empty", {}),
        (b" \n", "the body is empty", {}),
        (b"a: [", "invalid YAML", {"line": 1}),
        (b"a: 1\nb: 2\na: 3\n", "duplicate key 'a' (lines 1 and 3)", {"line": 3, "path": "a"}),
        (b'{"kind": "X",\n "kind": "Y"}', "duplicate key 'kind' (lines 1 and 2)", {"line": 2, "path": "kind"}),
        (b'{"kind": "X", "a": NaN}', "invalid JSON number 'NaN'", {"line": 1, "path": "a"}),
        (b'{"kind": "X", "a": 1e400}', "invalid JSON number '1e400'", {"line": 1, "path": "a"}),
        (b"[" * 5000 + b"]" * 5000, "nesting deeper than 512", {"line": 1, "column": 513}),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, "nesting deeper than 512", {"line": 1}),
        (b"- " * 5000 + b"1", "nesting deeper than 512", {"line": 1}),
        (b"\xff\xfea\x00", "the input is UTF-16", {}),
        (b"a: \xff", "byte 0xff is not valid UTF-8", {"line": 1, "column": 4}),
        (b'{"a": "\\ud800"}', "unpaired UTF-16 surrogate in an escape", {"line": 1}),
        (b"hello", "not a Kubernetes object", {"line": 1}),
        (b"[]", "not a Kubernetes object", {"line": 1}),
        (b"a: &a [*a]", "anchor 'a' contains itself", {"line": 1}),
        (b"a: !!python/object/apply:os.system [id]", "tag '!!python/object/apply:os.system'", {"line": 1}),
    ],
)
def test_unreadable_input_is_refused_with_its_place(body: bytes, title: str, place: dict[str, Any]) -> None:
    """
    The status is 400, with error, place and remedy.
    """
    for kind in (JSON, YAML):
        answer = post(body, kind)

        assert answer.status == 400
        assert_problem(answer, title, code="bad-input", **place)
        assert answer.json["remedy"]


def test_readable_objects_are_judged_beside_unreadable_ones() -> None:
    """
    An unreadable object is a problem in the report, as on the command line.
    """
    answer = post(f"{BAD}---\nkind: 5\n")

    assert answer.status == 200
    assert [problem["message"] for problem in answer.json["problems"]] == [
        "not a Kubernetes object: apiVersion is missing or not a string"
    ]
    assert answer.json["summary"]["problems"] == 1
    assert "deny LM101" in rules_of(answer)


@pytest.mark.parametrize("announced", [True, False])
def test_a_too_large_body_is_refused(announced: bool) -> None:
    """
    The status is 413 after 10 MiB, also without Content-Length.
    """
    part = b"#" * 2**20
    headers = [("content-type", YAML)]
    if announced:
        headers.append(("content-length", str(len(part) * 64)))

    answer = call(APP, "POST", "/v1/check", [part] * 64, headers)

    assert answer.status == 413
    assert_problem(answer, f"Send at most {MAX_BYTES // 2**20} MiB.")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/check", 405),
        ("PUT", "/v1/check", 405),
        ("GET", "/v2/check", 404),
        ("GET", "/docs", 404),
        ("GET", "/redoc", 404),
        ("GET", "/../webhook/policy.py", 404),
        ("POST", "/", 405),
    ],
)
def test_other_paths_and_methods_are_refused(method: str, path: str, status: int) -> None:
    """
    404 and 405 are problems too. No page loads anything from another site.
    """
    answer = call(APP, method, path)

    assert answer.status == status
    assert_problem(answer)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/check.js",
        "/examples/good.yaml",
        "/page.css",
        "/icon.svg",
        "/rules",
        "/rules/LM101",
        "/rules/LM999",
        "/openapi.json",
        "/v1/rules",
        "/nope",
        "/v1/check",
    ],
)
def test_every_response_has_the_security_headers(path: str) -> None:
    """
    Only the own script and style run; framing, caching and type guessing are off.
    """
    answer = call(APP, "GET", path)

    assert {name: answer.header(name) for name in HEADERS} == HEADERS
    assert "default-src 'none'" in HEADERS["Content-Security-Policy"]
    assert "unsafe" not in HEADERS["Content-Security-Policy"]
    assert answer.header("set-cookie") is None


def test_an_internal_error_has_no_details() -> None:
    """
    The status is 500, without a traceback and without text of the body.
    """

    def broken() -> Any:
        raise RuntimeError(CANARY)

    answer = post(GOOD, app=build_api(broken, (), ""))

    assert answer.status == 500
    assert_problem(answer, "Internal error in Migratable.", code="internal")
    assert CANARY not in answer.text
    assert answer.header("x-content-type-options") == "nosniff"


@pytest.mark.parametrize(
    "body",
    [
        f"{BAD}  volumes: [{{name: a, cloudInitNoCloud: {{userData: {CANARY}}}}}, {{name: b, hostDisk: {{path: /x}}}}]\n",
        f"{BAD}  volumes: [{{name: a, cloudInitNoCloud: {{userData: {CANARY}}}}}, {{name: b, hostDisk: 5}}]\n",
        f"{BAD}  volumes: {CANARY}\n",
        f"apiVersion: v1\nkind: List\nitems: [{CANARY}]\n",
        f"userData: {CANARY}\nuserData: {CANARY}\n",
        f"{CANARY}: [\n",
        f"{CANARY}",
    ],
)
def test_user_data_is_never_repeated(body: str) -> None:
    """
    No response contains cloud-init data or text of broken documents.
    """
    answer = post(body)

    assert answer.status in (200, 400)
    assert CANARY not in answer.text


BODIES = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(("apiVersion", "kind", "metadata", "spec", "items", "a")), inner, max_size=4
            )
        ),
        max_leaves=20,
    ).map(lambda value: json.dumps(value).encode()),
    st.text(alphabet="a:- \n{}[]&*!|>'\"#%@0x1.,?\t", max_size=60).map(str.encode),
)


@settings(deadline=None, max_examples=150)
@given(BODIES, st.sampled_from((JSON, YAML)))
@example(b'{"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "spec": null, "metadata": null}', JSON)
@example(b'{"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "spec": {"template": []}}', JSON)
def test_no_body_causes_an_internal_error(body: bytes, kind: str) -> None:
    """
    Every body gets a report or a problem.
    """
    answer = post(body, kind)

    assert answer.status in (200, 400)
    assert answer.header("content-type") == (JSON if answer.status == 200 else "application/problem+json")
    assert answer.json


def test_long_work_leaves_the_loop_free_and_the_queue_short() -> None:
    """
    During a check, the event loop stays free for admission. Requests beyond a short queue are refused.
    """
    going_on = threading.Event()

    async def ask() -> list[Any]:
        queue = Queue(2, MAX_WAITING, WAITING)
        requests = [asyncio.create_task(queue.do(lambda: going_on.wait(5))) for _ in range(2 + MAX_WAITING + 1)]
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await requests[-1]  # the loop runs on, though no thread has come back
        going_on.set()
        return await asyncio.gather(*requests[:-1])

    assert asyncio.run(ask()) == [True] * (2 + MAX_WAITING)


def test_a_full_queue_gives_503_with_retry_after() -> None:
    """
    Clients know how to handle this status.
    """

    def busy() -> Any:
        raise Unavailable("too many manifests are being judged", remedy="Try again in a second.")

    answer = post(GOOD, app=build_api(busy, (), ""))

    assert (answer.status, answer.header("retry-after")) == (503, "1")
    assert_problem(answer, "too many manifests are being judged", code="unavailable")


def assert_problem(answer: Answer, title: str = "", **fields: Any) -> None:
    assert answer.header("content-type") == "application/problem+json"
    assert answer.json["status"] == answer.status
    assert answer.json["title"].startswith(title)
    assert {name: answer.json[name] for name in fields} == fields
