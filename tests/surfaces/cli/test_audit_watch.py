"""The options of ``audit --watch``."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.surfaces.running import migratable
from webhook.audit.watching.options import WatchOptions
from webhook.errors import Misconfigured
from webhook.monitor import run
from webhook.policy.policy import Action, Profile

CLUSTER = """
apiVersion: v1
kind: Config
clusters: [{name: a, cluster: {server: "http://127.0.0.1:9"}}]
users: [{name: a, user: {token: canary}}]
contexts: [{name: a, context: {cluster: a, user: a}}]
current-context: a
"""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--watch", "-o", "json"), "--output has no effect: --watch prints no report. Remove it."),
        (("--watch", "--timeout", "5"), "--timeout has no effect: --watch prints no report. Remove it."),
        (("--port", "8081"), "--port has no effect: it needs --watch. Remove it."),
        (("--lease", "a/b"), "--lease has no effect: it needs --watch. Remove it."),
    ],
)
def test_an_option_without_effect_is_an_error(options: tuple[str, ...], message: str) -> None:
    """
    The message names the option.
    """
    ran = migratable("audit", *options)

    assert ran.status == 2
    assert message in ran.err


def test_a_lease_without_a_namespace_is_an_error() -> None:
    """
    Before anything is read.
    """
    ran = migratable("audit", "--watch", "--lease", "audit")

    assert ran.status == 2
    assert "error: --lease 'audit': not a Lease. Write NAMESPACE/NAME" in ran.err


def test_a_port_that_is_taken_is_an_error(tmp_path: Path) -> None:
    """
    The message names a free port, and there is no traceback.
    """
    (tmp_path / "config").write_text(CLUSTER)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ran = migratable("audit", "--watch", "--kubeconfig", str(tmp_path / "config"), "--port", port)

    assert ran.status == 2
    assert f"port {port} for metrics" in ran.err
    assert "`--port " in ran.err
    assert "Traceback" not in ran.err


def test_an_audit_without_watch_imports_no_server() -> None:
    """
    The bare command needs less memory, and fewer packages.
    """
    program = (
        "import sys; from webhook.__main__ import program; program().get_command(None, 'audit');"
        "print([name for name in ('uvicorn', 'fastapi', 'prometheus_client', 'kubernetes') if name in sys.modules])"
    )

    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert ran.stdout == "[]\n"


def test_the_options_apply_to_each_content_of_the_policy_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    ``--profile`` has precedence over the file, also after a change of the file.
    """
    policy = tmp_path / "policy.yaml"
    policy.write_text("profile: strict\n")
    (tmp_path / "config").write_text(CLUSTER)
    started: list[WatchOptions] = []
    monkeypatch.setattr(run, "run", started.append)

    ran = migratable("audit", "--watch", "--kubeconfig", tmp_path / "config", "--policy", policy, "--profile", "exact")

    assert (ran.status, ran.err) == (0, "")
    loaded = started[0].load_policy(b"profile: strict\nunproven: deny\n")
    assert (loaded.profile, loaded.unproven) == (Profile.EXACT, Action.DENY)
    with pytest.raises(Misconfigured, match=f"{policy}:1"):
        started[0].load_policy(b"profile: lenient\n")
