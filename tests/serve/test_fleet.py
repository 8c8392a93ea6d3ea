"""The pages for operators of a running server without a cluster."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serve.alone import ROOT, Alone, alone
from tests.waiting import wait_until
from webhook.console.process import PRIORITY

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


def test_a_page_is_rendered_by_a_process_of_low_priority(server: Alone) -> None:
    """
    Admission comes first on a shared core.
    """
    of_server, of_console = (os.getpriority(os.PRIO_PROCESS, one) for one in (server.popen.pid, console_of(server)))

    assert of_console == min(of_server + PRIORITY, 19)


def test_a_killed_process_is_started_again(server: Alone) -> None:
    """
    The pages return.
    """
    killed = console_of(server)
    os.kill(killed, signal.SIGKILL)

    wait_until(lambda: b"ledger" in page(server, "/fleet/vms"), 60, "the list of VMs")
    assert console_of(server) not in (0, killed)
