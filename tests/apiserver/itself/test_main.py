"""The control plane by hand: `python -m tests.apiserver`."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.apiserver.__main__ import main
from tests.apiserver.binaries import KNOWN, TESTED, find_binary

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.mark.apiserver
@pytest.mark.scheduler
@pytest.mark.helm
def test_build_prints_where_the_binaries_are(capsys: pytest.CaptureFixture[str]) -> None:
    """
    Without a name it is all that tests run: a control plane, kubectl, kube-scheduler and helm.
    """
    status = main(["build"])

    printed = [line.partition("  (")[0] for line in capsys.readouterr().out.splitlines()]
    assert (status, printed) == (0, [str(find_binary(name)) for name in TESTED])


def test_build_refuses_an_unknown_binary(capsys: pytest.CaptureFixture[str]) -> None:
    """
    The error for an unknown name lists the known ones.
    """
    status = main(["build", "kubelet"])

    assert status == 1
    assert capsys.readouterr().err == f"no such binary here: kubelet; there are {', '.join(KNOWN)}\n"


@pytest.mark.apiserver
def test_up_runs_until_it_gets_a_signal() -> None:
    """
    It prints the path of a kubeconfig that works. SIGTERM ends it and its servers, and removes their files.
    """
    argv = [sys.executable, "-m", "tests.apiserver", "up", "--crds"]
    with subprocess.Popen(argv, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as up:
        assert up.stdout is not None
        kubeconfig = Path(up.stdout.readline().strip())
        server = json.loads(kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
        up.send_signal(signal.SIGTERM)
        status = up.wait(20)

    assert server.startswith("https://127.0.0.1:")
    assert (status, kubeconfig.parent.exists()) == (0, False)
