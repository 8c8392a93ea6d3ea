"""The pages for operators of a running server without a cluster."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serve.alone import ROOT, Alone, alone, started
from tests.waiting import wait_until
from webhook.console.process import LOWEST_PRIORITY
from webhook.serve.options import Options

FLEET = ROOT / "examples" / "fleet"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alone]:
    with alone(tmp_path_factory.mktemp("fleet"), "--fleet", str(FLEET)) as running:
        wait_until(lambda: b"ledger" in page(running, "/fleet/vms"), 60, "the list of VMs")
        yield running


def page(server: Alone, path: str) -> bytes:
    return server.ask(server.api, "GET", path).body


def console_of(server: Alone) -> int:
    """The process that renders the pages."""
    for task in Path(f"/proc/{server.popen.pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            if "webhook.console" in Path(f"/proc/{child}/cmdline").read_text():
                return int(child)
    return 0


def test_the_server_prints_the_address_of_the_fleet(server: Alone) -> None:
    """
    The address is among the addresses of the server.
    """
    assert f"pages for operators   {server.url}fleet\n" in server.out


@pytest.mark.parametrize(
    ("host", "is_said"),
    [("127.0.0.1", False), ("127.0.0.2", False), ("::1", False), ("localhost", False)]
    + [(host, True) for host in ("0.0.0.0", "::", "192.0.2.1", "", "node.example")],
)
def test_the_server_says_that_other_machines_see_all_files(host: str, is_said: bool) -> None:
    """
    Pages of files have no sign-in. Pages of a cluster have one.
    """
    assert Options(host=host, fleet=("examples/fleet",)).shows_fleet_to_all is is_said
    assert not Options(host=host, fleet_from_cluster=True, in_cluster=True).shows_fleet_to_all


def test_the_log_says_that_other_machines_see_all_files(tmp_path: Path) -> None:
    """
    The server runs.
    """
    (tmp_path / "node.yaml").write_text("apiVersion: v1\nkind: Node\nmetadata: {name: a}\n")
    with alone(tmp_path, "--fleet", str(tmp_path / "node.yaml"), "--host", "0.0.0.0") as running:
        said = lambda: [line["host"] for line in running.log if "no sign-in" in line["message"]]  # noqa: E731
        wait_until(said, 60, "the warning")

        assert said() == ["0.0.0.0"]


def test_other_pages_lead_to_the_fleet(server: Alone) -> None:
    """
    The check page and the pages of the rules have a link to it.
    """
    assert all(b'<a href="/fleet">Fleet</a>' in page(server, path) for path in ("/", "/rules", "/rules/LM101"))


def test_a_page_is_rendered_by_a_process_of_the_lowest_priority(server: Alone) -> None:
    """
    Admission comes first on a shared core.
    """
    assert os.getpriority(os.PRIO_PROCESS, console_of(server)) == LOWEST_PRIORITY


def test_a_killed_process_is_started_again(server: Alone) -> None:
    """
    The pages return.
    """
    killed = console_of(server)
    os.kill(killed, signal.SIGKILL)

    wait_until(lambda: b"ledger" in page(server, "/fleet/vms"), 60, "the list of VMs")
    assert console_of(server) not in (0, killed)


KUBECONFIG = "tests/serve/alone.py"
"""An existing file: the options are checked before it is read."""


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--fleet", "{folder}/broken.yaml"], "error: {folder}/broken.yaml:1: invalid YAML"),
        (["--fleet", "{folder}/gone"], "error: {folder}/gone: no such file or folder"),
        (["--fleet", "-"], "error: --fleet -: standard input cannot be read again"),
        (
            ["--fleet", "a", "--fleet-from-cluster"],
            "error: --fleet and --fleet-from-cluster are two sources of one fleet",
        ),
        (["--fleet-from-cluster"], "error: --fleet-from-cluster needs a cluster"),
        (["--fleet", "a", "--kubeconfig", KUBECONFIG], "error: --fleet shows files to each caller"),
    ],
)
def test_invalid_options_prevent_the_start(server: Alone, tmp_path: Path, flags: list[str], message: str) -> None:
    """
    The error has the place and the remedy.
    """
    (tmp_path / "broken.yaml").write_text("a: [")

    ran = started(server.folder, *(flag.format(folder=tmp_path) for flag in flags))

    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith(message.format(folder=tmp_path))
    assert ran.stderr.count("\n") == 1
    assert "Traceback" not in ran.stderr


def test_without_the_option_there_are_no_pages_for_operators(tmp_path: Path) -> None:
    """
    No process is started for them.
    """
    with alone(tmp_path) as running:
        assert running.ask(running.api, "GET", "/fleet").status == 404
        assert b"/fleet" not in page(running, "/")
        assert "pages for operators" not in running.out
        assert console_of(running) == 0


def test_the_process_ends_with_the_server(tmp_path: Path) -> None:
    """
    Also if the server is killed: the process reads the end of its socket.
    """
    with alone(tmp_path, "--fleet", str(FLEET)) as running:
        console = console_of(running)
        running.popen.kill()
        running.popen.wait()

        wait_until(lambda: not is_running(console), 30, "the end of the process")


def listening_ports(pid: int) -> set[int]:
    """The TCP ports on which a process listens (proc(5), proc_net_tcp)."""
    links = {str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir() if entry.is_symlink()}
    rows = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    return {int(row[1].partition(":")[2], 16) for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in links}


def is_running(pid: int) -> bool:
    """Whether a process exists and is not only waited for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_the_pages_need_no_admission_webhook(tmp_path: Path) -> None:
    """
    Port 0 leaves it out.
    """
    flags = ("--fleet", str(FLEET), "--admission-port", "0")

    with alone(tmp_path, *flags) as running:
        assert running.ask(running.api, "GET", "/fleet").status == 200
        assert "admission" not in running.out
        assert listening_ports(running.popen.pid) == {running.api, running.health}


def test_an_unchanged_page_is_not_sent_again(server: Alone) -> None:
    """
    Its ETag is enough.
    """

    def again() -> tuple[int, bytes]:
        tag = server.ask(server.api, "GET", "/fleet/policies").headers["etag"]
        connection = server.connect(server.api)
        connection.request("GET", "/fleet/policies", headers={"If-None-Match": tag})
        answer = connection.getresponse()
        status, body = answer.status, answer.read()
        connection.close()
        return status, body

    wait_until(lambda: again() == (304, b""), 60, "the end of the rehearsal, which changes the ETag")
