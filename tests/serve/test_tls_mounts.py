"""A serving process whose certificate folder is a file system of its own, which becomes full, read-only or unmounted."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from certs import dev
from certs.authority import BACKDATE, LEAF_LIFETIME, CertificateAuthority, KeyPair
from certs.replicas import DnsReplicas
from tests.apiserver.processes import free_ports
from tests.serve.alone import ROOT, SECONDS, Alone, command
from tests.waiting import wait_until

NAME = "localhost"
AUTHORITY = CertificateAuthority.mint(datetime.now(UTC))
PATIENCE_SECONDS = 30.0


def _can_mount() -> bool:
    if os.geteuid() != 0 or not all(map(shutil.which, ("unshare", "nsenter", "mount"))):
        return False
    tried = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False)
    return tried.returncode == 0


pytestmark = pytest.mark.skipif(not _can_mount(), reason="needs root, and the right to mount")


@dataclass
class Mounted:
    """The server, in a mount namespace where its certificate folder is a tmpfs of 64 KiB."""

    server: Alone

    @property
    def folder(self) -> Path:
        """The certificate folder, as the server sees it."""
        return Path(f"/proc/{self.server.popen.pid}/root{self.server.folder}/certs")

    def run(self, *words: str) -> None:
        """A command in the server's mount namespace."""
        subprocess.run(["nsenter", "-m", "-t", str(self.server.popen.pid), *words], check=True, capture_output=True)

    def remount(self, how: str) -> None:
        self.run("mount", "-o", f"remount,{how}", str(self.server.folder / "certs"))

    def served(self) -> bytes:
        """What a new handshake shows; the server has to answer it."""
        (served,) = DnsReplicas([("127.0.0.1", self.server.admission)], NAME).served().values()
        return served

    def is_stale(self) -> bool:
        """Whether the metric says that something is wrong."""
        text = self.server.ask(self.server.health, "GET", "/metrics").body.decode()
        (line,) = [line for line in text.splitlines() if line.startswith("migratable_certificate_stale ")]
        return float(line.split()[1]) == 1

    def wait_until_stale(self, expected: bool) -> None:
        wait_until(
            lambda: self.is_stale() is expected, PATIENCE_SECONDS, f"migratable_certificate_stale to be {expected}"
        )


def sign(at: datetime | None = None) -> KeyPair:
    return AUTHORITY.sign((NAME,), at or datetime.now(UTC))


def write_anyhow(folder: Path, pair: KeyPair) -> None:
    """As `cp` does it: what does not fit is cut off."""
    for name, content in (("tls.key", pair.key), ("tls.crt", pair.certificate)):
        with suppress(OSError), (folder / name).open("wb", buffering=0) as file:
            file.write(content)


def write_well(folder: Path, pair: KeyPair) -> None:
    """As `python -m certs dev` does it: all or nothing, by a rename."""
    dev.write_file(folder / "tls.key", pair.key, 0o600)
    dev.write_file(folder / "tls.crt", pair.certificate, 0o644)


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Mounted]:
    """The server, with a good pair in a folder that holds 64 KiB."""
    folder = tmp_path / "certs"
    folder.mkdir()
    write_well(tmp_path, sign())
    ports = free_ports(3)
    script = 'mount -t tmpfs -o size=64k none "$1/certs" && cp "$1"/tls.* "$1/certs/" && shift && exec "$@"'
    serve = command(tmp_path, ports, "--facts", "examples")
    with (tmp_path / "out").open("wb") as out, (tmp_path / "err").open("wb") as err:
        popen = subprocess.Popen(
            ["unshare", "-m", "sh", "-c", script, "sh", str(tmp_path), *serve], stdout=out, stderr=err, cwd=ROOT
        )
    admission, api, health = ports
    server = Alone(popen, admission, api, health, tmp_path)
    try:
        wait_until(lambda: server.ready() == 200, SECONDS, "the server to be ready")
        yield Mounted(server)
    finally:
        popen.kill()
        popen.wait(SECONDS)


def test_a_full_folder_is_served_from_memory_until_it_is_repaired(mounted: Mounted) -> None:
    """
    An atomic write fails without damage. Another write leaves incomplete files, which are logged and not served.
    """
    before = mounted.served()
    filler = mounted.folder / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while file.write(b"x" * 4096):
            pass

    with pytest.raises(OSError, match="No space left"):
        write_well(mounted.folder, sign())
    careful = mounted.served(), mounted.is_stale()
    # room for less than a page in what is truncated is no room: both files end up empty
    (mounted.folder / "tls.crt").write_bytes(b"")
    with filler.open("ab", buffering=0) as file, suppress(OSError):
        while file.write(b"x" * 4096):
            pass
    write_anyhow(mounted.folder, sign())
    mounted.wait_until_stale(True)
    careless = mounted.served()
    filler.unlink()
    healed = sign()
    write_anyhow(mounted.folder, healed)
    mounted.wait_until_stale(False)

    assert careful == (before, False)
    assert careless == before
    assert mounted.served() == healed.certificate


def test_a_read_only_folder_is_logged_once_the_renewal_is_late(mounted: Mounted) -> None:
    """
    Its content is valid until it has to be replaced and cannot be.
    """
    life = LEAF_LIFETIME + BACKDATE
    overdue_soon = sign(datetime.now(UTC) - (life * 5 / 6 - BACKDATE) + timedelta(seconds=3))
    write_well(mounted.folder, overdue_soon)
    wait_until(lambda: mounted.served() == overdue_soon.certificate, PATIENCE_SECONDS, "the pair to be served")
    mounted.remount("ro")

    with pytest.raises(OSError, match="Read-only file system"):
        write_well(mounted.folder, sign())
    mounted.wait_until_stale(True)
    during = mounted.served()
    mounted.remount("rw")
    healed = sign()
    write_well(mounted.folder, healed)
    mounted.wait_until_stale(False)

    assert during == overdue_soon.certificate
    assert mounted.served() == healed.certificate


def test_an_unmounted_folder_is_served_from_memory_until_it_is_mounted(mounted: Mounted) -> None:
    """
    The empty folder below the mount has no certificate. A folder that is mounted there again is served.
    """
    before = mounted.served()

    mounted.run("umount", str(mounted.server.folder / "certs"))
    mounted.wait_until_stale(True)
    during = mounted.served()
    mounted.run("mount", "-t", "tmpfs", "-o", "size=64k", "none", str(mounted.server.folder / "certs"))
    healed = sign()
    write_well(mounted.folder, healed)
    mounted.wait_until_stale(False)

    assert during == before
    assert mounted.served() == healed.certificate


def test_handshakes_succeed_while_the_folder_is_mounted_and_unmounted(mounted: Mounted) -> None:
    """
    Each of a hundred handshakes succeeds while the folder is mounted and unmounted in between.
    """
    place = str(mounted.server.folder / "certs")
    seen = set()

    for number in range(100):
        if number % 10 == 0:
            mounted.run("mount", "-t", "tmpfs", "-o", "size=64k", "none", place)
        elif number % 10 == 5:
            mounted.run("umount", place)
        seen.add(mounted.served())

    assert len(seen) == 1
