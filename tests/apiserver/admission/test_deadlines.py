"""Every response arrives before the timeout of its caller, whichever dependency hangs."""

import http.client
import json
import re
import signal
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.apiserver import crds
from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.serving import Serving, serving
from tests.surfaces.admission.reviews import TENANT, claim, on_claim, review, vm
from tests.waiting import PATIENCE_SECONDS, wait_until
from webhook.surfaces.admission.endpoint import CONFIRMING_THREADS

pytestmark = pytest.mark.apiserver

SLACK_SECONDS = 60.0
"""The time that a busy machine may add to a timeout. Without deadlines a server hangs as long as its dependency: forever."""
BESIDE = 8
"""How many reviews are sent at one time."""


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    """One that may be stopped, with a claim that only one node can mount and a revision that is read live."""
    with ControlPlane(crds=crds.OWN) as running:
        client = running.client
        client.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": TENANT}})
        body = claim("single", "ReadWriteOnce")
        body["spec"]["resources"] = {"requests": {"storage": "1Gi"}}
        client.create(f"/api/v1/namespaces/{TENANT}/persistentvolumeclaims", body)
        yield running


@pytest.fixture(scope="module")
def server(plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A server with facts from it, which has seen the claim."""
    with serving(plane, tmp_path_factory.mktemp("deadlines") / "serve") as running:
        wait_until(
            lambda: not asked(plane, running, REVIEWS["denied"], 10)[0]["allowed"],
            PATIENCE_SECONDS,
            "the claim to be seen",
        )
        yield running


REVIEWS: dict[str, bytes] = {
    "allowed": review("CREATE", vm()),
    "denied": review("CREATE", vm(volumes=[on_claim("single")])),
    "missing claim": review("CREATE", vm(volumes=[on_claim("missing")])),
    "read live": review("CREATE", vm(outer={"instancetype": {"name": "x", "revisionName": "x"}})),
    "update": review("UPDATE", vm(volumes=[on_claim("single")]), vm()),
    "the same again": review("UPDATE", vm(volumes=[on_claim("single")]), vm(volumes=[on_claim("single")])),
    "deleted": review("DELETE", None, vm()),
}


def asked(plane: ControlPlane, server: Serving, body: bytes, timeout: float, path: str = "/validate") -> Any:
    """
    The response and the seconds until it arrived. The call fails long after the timeout that it names.

    None for a response without a verdict (HTTP 503 with Retry-After).
    """
    trust = ssl.create_default_context(cadata=plane.ca.cert_pem.decode())
    connection = http.client.HTTPSConnection(
        "localhost", server.admission_port, timeout=timeout + SLACK_SECONDS, context=trust
    )
    connection.connect()
    began = time.monotonic()
    try:
        connection.request("POST", f"{path}?timeout={timeout:g}s", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        content = answer.read()
        assert (answer.status, answer.getheader("retry-after")) in ((200, None), (503, "1"))
        return json.loads(content)["response"] if answer.status == 200 else None, time.monotonic() - began
    finally:
        connection.close()


@contextmanager
def hanging(plane: ControlPlane, server: Serving, name: str) -> Iterator[None]:
    """A process of the plane accepts connections and does nothing any more; the server has just heard from its watch."""
    wait_until(lambda: has_just_heard(plane, server), PATIENCE_SECONDS, "an event of the claim")
    process = plane.processes[name].popen
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)
        wait_until(plane.client.ready, PATIENCE_SECONDS, "the API server to be back")


def has_just_heard(plane: ControlPlane, server: Serving) -> bool:
    """Whether the server's facts about claims are fresh; the claim is touched for that."""
    path = f"/api/v1/namespaces/{TENANT}/persistentvolumeclaims/single"
    touched = {"metadata": {"annotations": {"example.com/touched": str(time.monotonic())}}}
    plane.client.api("PATCH", path, touched, content_type="application/merge-patch+json")
    age = re.search(
        r'^migratable_cluster_age_seconds\{kind="PersistentVolumeClaim"\} (\S+)', server.metrics(), re.MULTILINE
    )
    return age is not None and float(age[1]) < 10


@pytest.mark.parametrize("timeout", [2, 5])
@pytest.mark.parametrize("dependency", ["kube-apiserver", "etcd"])
def test_every_response_is_in_time_while_a_dependency_hangs(
    plane: ControlPlane, server: Serving, dependency: str, timeout: float
) -> None:
    """
    R23: while the API server that supplies the facts is stopped, or its etcd, reviews of all kinds get a response
    before the timeout of the caller, several at a time. A VM without references and a never-blocked request pass. A
    violation that the watch has shown is denied. A missing fact gives no verdict. An API server without etcd still
    reports a missing claim from its cache, if it is quick.
    """
    kinds = [*REVIEWS, *REVIEWS][:BESIDE]

    with hanging(plane, server, dependency), ThreadPoolExecutor(BESIDE) as pool:
        answers = list(pool.map(lambda kind: asked(plane, server, REVIEWS[kind], timeout), kinds))
        defaulted = asked(plane, server, REVIEWS["allowed"], timeout, "/mutate")

    print(
        f"slowest of {len(answers) + 1} responses: {max(seconds for _, seconds in (*answers, defaulted)):.1f} s of {timeout} s"
    )
    said = {kind: response and response["allowed"] for kind, (response, _) in zip(kinds, answers, strict=True)}
    assert said.pop("missing claim") in ((True, None) if dependency == "etcd" else (None,))
    assert said == {
        "allowed": True,
        "denied": False,
        "read live": None,
        "update": False,
        "the same again": True,
        "deleted": True,
    }
    assert "Traceback" not in Path(server.log).read_text()


def test_more_callers_than_threads_get_responses_in_time(plane: ControlPlane, server: Serving) -> None:
    """
    R23: this includes callers for which no thread is free to read live, because all threads hang.
    """
    many = CONFIRMING_THREADS + BESIDE

    with hanging(plane, server, "kube-apiserver"), ThreadPoolExecutor(many) as pool:
        answers = list(pool.map(lambda _: asked(plane, server, REVIEWS["denied"], 4), range(many)))

    print(f"slowest of {many} responses: {max(seconds for _, seconds in answers):.1f} s of 4 s")
    assert {response["allowed"] for response, _ in answers} == {False}


def test_verdicts_return_when_the_dependency_recovers(plane: ControlPlane, server: Serving) -> None:
    """
    A request without a verdict gets one once the facts can be read.
    """
    with hanging(plane, server, "kube-apiserver"):
        meanwhile, _ = asked(plane, server, REVIEWS["missing claim"], 2)

    wait_until(
        lambda: asked(plane, server, REVIEWS["missing claim"], 10)[0] is not None,
        PATIENCE_SECONDS,
        "the verdict to be back",
    )
    assert meanwhile is None
