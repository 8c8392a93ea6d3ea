"""Files and streams of the server may hang without delaying reviews."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.apiserver.pki import CertificateAuthority
from tests.apiserver.serving import running
from tests.nasty.door import Doorway, trusting
from tests.serve.wire import Wire, post
from tests.surfaces.admission.reviews import review, vm
from tests.waiting import wait_until
from webhook.serve.server import POLICY_POLL_SECONDS

BODY = review("CREATE", vm(evictionStrategy="nonsense"))


@pytest.fixture
def authority() -> CertificateAuthority:
    """Signs the server's certificate."""
    return CertificateAuthority()


def is_denied(door: Doorway) -> bool:
    """Whether a VM with an invalid word is denied. The request has a timeout."""
    return not door.review(BODY).response["allowed"]


def test_a_hanging_policy_file_delays_no_review(authority: CertificateAuthority, tmp_path: Path) -> None:
    """
    If the storage of the policy file does not respond (here: a pipe without a writer), the last valid policy stays in
    force.
    """
    policy, pipe = tmp_path / "policy.yaml", tmp_path / "pipe"
    policy.write_text("profile: strict\n")
    with running(authority, tmp_path / "serve", "--policy", str(policy)) as server:
        door = Doorway(server, trusting(authority))
        assert is_denied(door)
        os.mkfifo(pipe)
        pipe.replace(policy)
        writing = wait_until(lambda: writer_of(policy), POLICY_POLL_SECONDS * 6, "the server to read the file")

        try:
            assert is_denied(door)
            assert server.ready()
        finally:
            os.close(writing)


def writer_of(pipe: Path) -> int:
    """The write end of a pipe, or 0 if the pipe has no reader."""
    try:
        return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return 0


def test_a_full_log_pipe_delays_no_review(authority: CertificateAuthority, tmp_path: Path) -> None:
    """
    If standard error is a full pipe, reviews still get responses.
    """
    with running(authority, tmp_path / "serve", stderr=subprocess.PIPE) as server:
        door = Doorway(server, trusting(authority))

        with Wire(server.admission_port, door.trust) as wire:
            for _ in range(800):  # 150 bytes of log each, into a pipe of 64 KiB
                assert wire.send(post("/validate", b"junk")).answer().status == 400

        assert is_denied(door)
        assert server.ready()
