"""One process without a cluster: its listeners, the errors at its start, and its end."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from certs import dev
from tests.apiserver.processes import free_ports
from tests.serve.alone import SECONDS, Alone, Got, alone, ask, started
from tests.surfaces.admission.reviews import on_claim, review, vm
from tests.surfaces.manifests import BAD, UNPROVEN
from tests.waiting import wait_until

CLAIMS = """\
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: os, namespace: tenant}
spec: {accessModes: [ReadWriteOnce]}
"""
REFUSED = review("CREATE", vm(volumes=[on_claim("os")]))
PASSING = review("CREATE", vm())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alone]:
    folder = tmp_path_factory.mktemp("alone")
    (folder / "facts").mkdir()
    (folder / "facts" / "claims.yaml").write_text(CLAIMS)
    with alone(folder, "--facts", str(folder / "facts")) as running:
        yield running


def test_standard_output_lists_the_urls(server: Alone) -> None:
    """
    Standard output has the URLs, and lines to paste. Standard error has only the log.
    """
    assert f"page and dry-run API  {server.url}" in server.out
    assert f"https://localhost:{server.admission}/validate" in server.out
    assert "curl --cacert" in server.out
    assert "migratable check examples/" in server.out
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in server.log)


def test_admission_and_api_judge_by_the_same_facts(server: Alone) -> None:
    """
    A claim of the facts folder makes both refuse.
    """
    answer = server.ask(server.admission, "POST", "/validate?timeout=5s", REFUSED)
    report = server.ask(server.api, "POST", "/v1/check", UNPROVEN.encode(), "application/yaml")

    response = json.loads(answer.body)["response"]
    assert (answer.status, response["allowed"], response["status"]["code"]) == (200, False, 422)
    (finding,) = json.loads(report.body)["objects"][0]["findings"]
    assert (finding["rule"], finding["action"]) == ("LM201", "deny")


def test_manifests_are_judged_in_another_process(server: Alone) -> None:
    """
    The process that answers API servers has a child, which judges for the page.
    """
    server.ask(server.api, "POST", "/v1/check", BAD.encode(), "application/yaml")

    (child,) = children_of(server)
    assert "webhook.surfaces.api.judge.process" in Path(f"/proc/{child}/cmdline").read_text()


def test_the_page_starts_the_process_that_judges(tmp_path: Path) -> None:
    """
    So the first check after it does not wait for the start.
    """
    with alone(tmp_path) as running:
        assert children_of(running) == []
        running.ask(running.api, "GET", "/")
        wait_until(lambda: len(children_of(running)) == 1, 30, "the process that judges")


def children_of(server: Alone) -> list[int]:
    children = Path(f"/proc/{server.popen.pid}/task").glob("*/children")
    return [int(part) for path in children for part in path.read_text().split()]


def test_each_listener_serves_only_its_own_paths(server: Alone) -> None:
    """
    The API is not on the admission port, admission not on the API's, and metrics are on neither.
    """
    for port, path in (
        (server.admission, "/v1/rules"),
        (server.admission, "/metrics"),
        (server.api, "/validate"),
        (server.api, "/metrics"),
        (server.health, "/v1/rules"),
        (server.health, "/validate"),
    ):
        assert server.ask(port, "GET", path).status == 404


def test_the_health_listener_serves_liveness_readiness_and_metrics(server: Alone) -> None:
    """
    It speaks plain HTTP, for a kubelet and for Prometheus. Reviews are counted by path, kind and outcome.
    """
    server.ask(server.admission, "POST", "/validate", REFUSED)

    metrics = server.ask(server.health, "GET", "/metrics").body.decode()

    assert [server.ask(server.health, "GET", path).status for path in ("/livez", "/readyz")] == [200, 200]
    counted = 'migratable_reviews_total{door="validate",kind="VirtualMachine",operation="CREATE",outcome="denied"}'
    assert f"{counted} 0.0" not in metrics
    assert counted in metrics
    assert 'migratable_findings_total{action="deny",kind="VirtualMachine",rule="LM201"}' in metrics


@pytest.mark.parametrize("path", ["/v1/rules/", "/v1/check/", "//evil.example.com", "/v1//rules"])
def test_no_response_redirects(server: Alone, path: str) -> None:
    """
    A path with an additional slash is not found. A Location with the Host header of the request would lead elsewhere.
    """
    answer = hosted(server, server.api, "localhost", path)

    assert (answer.status, answer.headers.get("location")) == (404, None)


@pytest.mark.parametrize("path", ["/", "/v1/rules", "/v1/rules/", "/readyz", "/metrics"])
def test_a_request_for_a_foreign_host_gets_421(server: Alone, path: str) -> None:
    """
    Page, API, health and metrics refuse the name of another site. The response names the option.
    """
    port = server.health if path in ("/readyz", "/metrics") else server.api

    foreign, own, address = (
        hosted(server, port, host, path) for host in ("evil.example.com", "localhost", "10.244.1.17")
    )

    assert foreign.status == 421
    assert b"--allowed-host" in foreign.body
    assert b"evil" not in foreign.body + str(foreign.headers).encode()
    assert (own.status, address.status) == ((404, 404) if path.endswith("s/") else (200, 200))


@pytest.mark.parametrize("path", ["/", "/v1/rules", "/rules/LM101", "/v1/check", "/nope"])
def test_head_has_the_headers_of_get_without_a_body(server: Alone, path: str) -> None:
    """
    After HEAD, the connection can be used again: no byte of a body is left on it.
    """
    connection = server.connect(server.api)
    try:
        answers = []
        for method in ("HEAD", "GET"):
            connection.request(method, path)
            answer = connection.getresponse()
            answers.append((answer.status, answer.getheader("content-length"), answer.getheader("content-type")))
            body = answer.read()
            assert bool(body) is (method == "GET")
    finally:
        connection.close()

    assert answers[0] == answers[1]


def hosted(server: Alone, port: int, host: str, path: str) -> Got:
    """A GET with this Host, as curl -H sends it."""
    connection = server.connect(port)
    try:
        connection.putrequest("GET", path, skip_host=True)
        connection.putheader("Host", f"{host}:{port}")
        connection.endheaders()
        answer = connection.getresponse()
        return Got(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    finally:
        connection.close()


def test_metrics_contain_both_ends_of_the_validity_of_the_certificate(server: Alone) -> None:
    """
    An alert does not need to know the lifetime of certificates.
    """
    lines = server.ask(server.health, "GET", "/metrics").body.decode().splitlines()

    told = dict(line.split() for line in lines if line.startswith("migratable_certificate_not_"))
    begin, end = (float(told[f"migratable_certificate_not_{side}_seconds"]) for side in ("before", "after"))
    assert begin < time.time() < end


def test_the_log_contains_a_denial_without_the_object(server: Alone) -> None:
    """
    UID, kind, name and rules are logged. The content of the object is not.
    """
    init = {"name": "init", "cloudInitNoCloud": {"userData": "password: s3cr3t-canary"}}
    server.ask(server.admission, "POST", "/validate", review("CREATE", vm("logged", volumes=[on_claim("os"), init])))

    (denied,) = wait_until(
        lambda: [line for line in server.log if line.get("object") == "logged"], 20, "the line of log"
    )
    assert (denied["message"], denied["kind"], denied["rules"]) == ("denied", "VirtualMachine", ["LM201"])
    assert "canary" not in (server.folder / "err").read_text()


def test_every_call_during_a_drain_gets_a_response(tmp_path: Path) -> None:
    """
    After SIGTERM the server is not ready but still responds. Every response on a kept connection closes it, and the
    process ends with status 0.
    """
    with alone(tmp_path, "--drain-seconds", "600") as server:
        kept = server.connect(server.admission)
        before = ask(kept, "POST", "/validate", PASSING)
        assert (before.status, before.headers.get("connection")) == (200, None)

        server.terminate()
        wait_until(lambda: server.ready() == 503, SECONDS, "the server to be unready")

        after = ask(kept, "POST", "/validate", PASSING)
        anew = server.ask(server.admission, "POST", "/validate", PASSING)
        assert [(reply.status, reply.headers["connection"]) for reply in (after, anew)] == [(200, "close")] * 2
        assert server.ask(server.health, "GET", "/livez").status == 200
        kept.close()

        server.terminate()  # a second signal ends the wait
        assert server.popen.wait(SECONDS) == 0
    assert [line for line in server.log if line["level"] == "error"] == []


def test_a_drain_ends_after_its_time(tmp_path: Path) -> None:
    """
    The process then ends with status 0.
    """
    with alone(tmp_path, "--drain-seconds", "0.1") as server:
        server.terminate()

        assert server.popen.wait(SECONDS) == 0


@pytest.mark.parametrize("with_make", [True, False])
def test_one_error_names_all_ports_in_use_and_free_ones(
    server: Alone, monkeypatch: pytest.MonkeyPatch, with_make: bool
) -> None:
    """
    With status 2, and with `PORTS=` if make runs the server.
    """
    monkeypatch.delenv("MAKELEVEL", raising=False)
    if with_make:
        monkeypatch.setenv("MAKELEVEL", "1")
    ports = [server.admission, server.api, free_ports(1)[0]]

    ran = started(server.folder, ports=ports)

    assert (ran.returncode, ran.stdout) == (2, "")
    problem, remedy = re.fullmatch(r"error: cannot listen on 127.0.0.1: (.*)\. Choose (.*)\.\n", ran.stderr).groups()
    assert problem == (
        f"port {server.admission} for admission: Address already in use; "
        f"port {server.api} for api: Address already in use"
    )
    flags = r"--admission-port (\d+) --api-port (\d+)"
    quoted = f"make run PORTS='{flags}'" if with_make else flags
    suggested = re.fullmatch(f"other ports, for example `{quoted}`", remedy).groups()
    assert len({*map(int, suggested), *ports}) == 5


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (
            ["--policy", "{folder}/policy.yaml"],
            "policy.yaml:2: unproven: invalid value 'maybe', expected deny, warn, audit or off",
        ),
        (["--policy", "{folder}/gone.yaml"], "gone.yaml cannot be read: No such file or directory"),
        (["--facts", "{folder}/broken.yaml"], "broken.yaml:1: invalid YAML"),
        (["--facts", "{folder}/gone.yaml"], "gone.yaml: no such file or folder"),
        (["--release", "0.58"], "unsupported release '0.58'"),
        (["--cert-dir", "{folder}/empty"], "empty"),
        (["--allowed-host", "https://vm.example.com"], "--allowed-host 'https://vm.example.com' is not a host name"),
        (["--allowed-host", "vm.example.com:8443"], "Write a name without scheme, port and path"),
    ],
)
def test_invalid_settings_prevent_the_start(server: Alone, tmp_path: Path, flags: list[str], told: str) -> None:
    """
    An invalid policy, facts folder, release, certificate or host is an error at the start, with status 2 and its place.
    """
    (tmp_path / "policy.yaml").write_text("profile: strict\nunproven: maybe\n")
    (tmp_path / "broken.yaml").write_text("a: [")
    (tmp_path / "empty").mkdir()

    ran = started(server.folder, *(flag.format(folder=tmp_path) for flag in flags))

    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("error: ")
    assert told in ran.stderr
    assert "Traceback" not in ran.stderr


def test_changes_of_the_policy_file_are_applied(tmp_path: Path) -> None:
    """
    A change of the policy file applies to later responses. An invalid file changes nothing, is logged once, and is
    counted until it is corrected.
    """
    policy = tmp_path / "policy.yaml"
    policy.write_text("")
    with alone(tmp_path, "--policy", str(policy)) as server:

        def denied() -> int:
            answer = server.ask(server.api, "POST", "/v1/check", BAD.encode(), "application/yaml")
            return int(json.loads(answer.body)["summary"]["deny"])

        assert denied() == 2

        policy.write_text("actions: {LM101: warn, LM302: warn}\n")
        wait_until(lambda: denied() == 0, SECONDS, "the new policy to hold")

        policy.write_text("actions: {LM101: deny, LM302: maybe}\n")
        wait_until(lambda: failures(server) > 2, SECONDS, "the bad policy to be counted again and again")
        assert denied() == 0
        assert [record["message"] for record in server.log].count(
            "policy reload failed; the previous policy stays active"
        ) == 1


def failures(server: Alone) -> float:
    metrics = server.ask(server.health, "GET", "/metrics").body.decode()
    (line,) = [line for line in metrics.splitlines() if line.startswith("migratable_policy_reload_failures_total ")]
    return float(line.split()[1])


def test_clients_that_trust_the_development_authority_can_connect(server: Alone) -> None:
    """
    A client needs only the authority that `python -m certs dev` creates.
    """
    assert (server.folder / "certs" / dev.DevelopmentCertificates(server.folder).authority.name).exists()
    assert server.ask(server.api, "GET", "/").status == 200
