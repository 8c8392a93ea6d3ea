"""No server outlives the test run that started it."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.apiserver import processes
from tests.apiserver.processes import PortTakenError, Process, free_ports, reap_stale, scratch_folder
from tests.waiting import PATIENCE_SECONDS, wait_until

REPOSITORY = Path(__file__).resolve().parents[3]

WAITS = "import signal; signal.pause()"

KILLED_RUN = f"""
import os, signal, sys
from tests.apiserver.processes import Process, scratch_folder
folder = scratch_folder()
process = Process.begin("server", [sys.executable, "-c", {WAITS!r}, str(folder)], folder)
print(folder, process.popen.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def is_running(pid: int) -> bool:
    """Whether the process exists and is not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def server(folder: Path, code: str = WAITS) -> Process:
    return Process.begin("server", [sys.executable, "-c", code], folder)


def test_the_next_run_ends_the_servers_of_a_killed_run() -> None:
    """
    A run that gets SIGKILL cannot end its servers. The next run ends them and removes their files.
    """
    run = [sys.executable, "-c", KILLED_RUN]
    killed = subprocess.run(run, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=False)
    folder, pid = killed.stdout.split()
    left = (Path(folder).is_dir(), is_running(int(pid)))

    reap_stale()

    assert left == (True, True)
    assert not Path(folder).exists()
    wait_until(lambda: not is_running(int(pid)), PATIENCE_SECONDS, "the server to be gone")


def test_the_servers_of_a_running_test_run_are_left_alone() -> None:
    """
    Two workers of one test run share the computer and not their servers.
    """
    folder = scratch_folder()
    process = server(folder)

    reap_stale()
    running = (folder.is_dir(), process.popen.poll())
    process.kill()
    (folder / "owner").write_text(f"{2**22 + 1} 0")  # ours no more: Linux gives no process this number
    reap_stale()

    assert running == (True, None)
    assert not folder.exists()


def test_free_ports_are_distinct() -> None:
    """
    Ports that are requested together are different.
    """
    ports = free_ports(50)

    assert len(set(ports)) == 50


def test_free_ports_are_not_given_twice() -> None:
    """
    The next call, in this process or another, gets other ports, even before a process listens on the first.
    """
    asking = "from tests.apiserver.processes import free_ports; print(*free_ports(5))"

    ports = free_ports(5)
    answer = subprocess.run([sys.executable, "-c", asking], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    ports += [int(word) for word in answer.stdout.split()]
    ports += free_ports(5)

    assert len(set(ports)) == 15


def test_a_port_in_use_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A port counts as used if it is used on any address. If none is free, an error is raised.
    """
    taken, free = free_ports(2)
    monkeypatch.setattr(processes, "PORTS", [taken, free])
    monkeypatch.setattr(processes, "TURN", tmp_path / "turn")

    with socket.create_server(("127.0.0.1", taken)):
        assert free_ports(1) == [free]
        with pytest.raises(PortTakenError):
            free_ports(2)


def test_a_server_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    """
    Stopping takes no longer than its grace.
    """
    process = server(
        tmp_path, f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); {WAITS}"
    )
    process.wait_ready(lambda: process.log.stat().st_size > 0, 10)

    process.stop(grace_seconds=0.1)

    assert process.popen.returncode == -9


def test_a_server_that_is_never_ready_shows_the_end_of_its_log(tmp_path: Path) -> None:
    """
    The error of a wait in vain holds what the server said last.
    """
    process = server(tmp_path, f"print('still loading', flush=True); {WAITS}")
    wait_until(lambda: process.log.stat().st_size, PATIENCE_SECONDS, "the first line")

    with pytest.raises(TimeoutError) as late:
        process.wait_ready(lambda: False, 0.05)
    process.kill()

    assert str(late.value) == "waited 0.05 s in vain for server to become ready:\nstill loading"
