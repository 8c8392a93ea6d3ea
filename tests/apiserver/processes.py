"""The processes of the servers: their ports, their scratch folder, and their end."""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tests.waiting import wait_until

PREFIX = "migratable-apiserver-"
SHARED_MEMORY = Path("/dev/shm")
SHARED_MEMORY_NEEDED = 2 << 30  # bytes; a control plane writes about 100 MB, much of it etcd's preallocated log
PORTS = range(20000, 30000)
TURN = Path(tempfile.gettempdir()) / f"{PREFIX}ports-{os.getuid()}"
"""Holds the place in ``PORTS`` from which the next are taken, under a lock, for all processes of this user."""


class PortTakenError(RuntimeError):
    """A port that was free a moment ago is not any more."""


def free_ports(count: int) -> list[int]:
    """
    COUNT free ports that no other process of these tests is given for a long time.

    They are taken in turn from below the range of which the kernel hands out ports by itself, so that neither a
    connection nor another run beside this one takes a port between here and the start of the server that wants it.
    """
    if not count:
        return []
    with TURN.open("a+") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        turn.seek(0)
        begin = int(turn.read() or 0)
        order = [PORTS[(begin + step) % len(PORTS)] for step in range(len(PORTS))]
        ports = list(islice(filter(_is_free, order), count))
        if len(ports) < count:
            raise PortTakenError(f"fewer than {count} of the ports {PORTS} are free")
        turn.truncate(0)
        turn.write(str(PORTS.index(ports[-1]) + 1))
    return ports


def _is_free(port: int) -> bool:
    """On all addresses: some servers listen on one, some on all."""
    with socket.socket() as trying:
        try:
            trying.bind(("", port))
        except OSError:
            return False
    return True


@dataclass(slots=True)
class Process:
    """A server that this test run began."""

    name: str
    popen: subprocess.Popen[bytes]
    log: Path

    @classmethod
    def begin(cls, name: str, argv: Sequence[str], folder: Path) -> "Process":
        """Starts ARGV in FOLDER, with NAME.log for its output, and records its id for `reap_stale`."""
        log = folder / f"{name}.log"
        with log.open("ab") as out:
            popen = subprocess.Popen(argv, stdout=out, stderr=out, stdin=subprocess.DEVNULL, cwd=folder)
        with (folder / "children").open("a") as children:
            children.write(f"{popen.pid}\n")
        return cls(name, popen, log)

    def wait_ready(self, ready: Callable[[], bool], deadline_seconds: float) -> None:
        """Waits for READY; raises at once, with the end of the log, if the process is gone."""

        def ready_or_gone() -> bool:
            if self.popen.poll() is not None:
                tail = self.tail()
                error = PortTakenError if "address already in use" in tail else RuntimeError
                raise error(f"{self.name} ended with status {self.popen.returncode}:\n{tail}")
            return ready()

        try:
            wait_until(ready_or_gone, deadline_seconds, f"{self.name} to become ready")
        except TimeoutError as late:
            raise TimeoutError(f"{late}:\n{self.tail()}") from late

    def tail(self, lines: int = 15) -> str:
        """The last LINES of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def stop(self, grace_seconds: float = 2.0) -> None:
        """
        SIGTERM, then SIGKILL once GRACE_SECONDS have passed.

        With watches open a kube-apiserver drains for 10 s and more; etcd, which outlives it, has every write.
        """
        if self.popen.poll() is None:
            self.popen.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.popen.wait(grace_seconds)
        self.kill()

    def kill(self) -> None:
        """SIGKILL, and the wait that leaves no zombie."""
        self.popen.kill()
        self.popen.wait()


def scratch_folder() -> Path:
    """A new folder for one control plane, in memory where there is room, marked with the process that owns it."""
    reap_stale()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=_scratch_parent()))
    (folder / "owner").write_text(f"{os.getpid()} {_start_time(os.getpid())}")
    return folder


def reap_stale() -> None:
    """Ends what a killed test run left behind: servers whose scratch folder's owner is gone."""
    if not Path("/proc/self/stat").is_file():
        return  # no way to tell a dead owner from a living one
    for folder in _scratch_parent().glob(f"{PREFIX}*"):
        try:
            owner, started = (folder / "owner").read_text().split()
        except (OSError, ValueError):
            continue  # another user's, or not yet written
        if _start_time(int(owner)) == started:
            continue
        record = folder / "children"
        for child in record.read_text().split() if record.is_file() else ():
            with suppress(OSError):
                # the number may be another process's by now; ours name the folder in their arguments
                if str(folder) in Path(f"/proc/{child}/cmdline").read_text():
                    os.kill(int(child), signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)


def _scratch_parent() -> Path:
    with suppress(OSError):
        if os.access(SHARED_MEMORY, os.W_OK) and shutil.disk_usage(SHARED_MEMORY).free > SHARED_MEMORY_NEEDED:
            return SHARED_MEMORY
    return Path(tempfile.gettempdir())


def _start_time(pid: int) -> str | None:
    """Start time of process PID, which distinguishes it from a later one with the same number (proc_pid_stat(5), field 22)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return None
