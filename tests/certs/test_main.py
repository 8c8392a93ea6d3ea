"""``python -m certs``: three commands, exit statuses, and settings from flags or the environment."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from certs.__main__ import BAD, GOOD, TROUBLE, _parser, _settings, duration, main
from certs.cluster import ConfigurationName
from certs.plan import Terms

ROTATE = ["rotate", "--namespace=webhooks", "--authority-secret=ca", "--serving-secret=leaf", "--service=migratable"]


def test_check_accepts_the_certificates_of_dev(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Paths and findings go to stdout, what was done to stderr.
    """
    folder = tmp_path / "tls"

    made = main(["dev", "--folder", str(folder)])
    first = capsys.readouterr()
    again = main(["dev", "--folder", str(folder)])
    second = capsys.readouterr()
    checked = main(["check", str(folder)])
    third = capsys.readouterr()

    assert (made, again, checked) == (GOOD, GOOD, GOOD)
    assert (
        first.out == second.out == "".join(f"{folder}/{name}\n" for name in ("ca.crt", "ca.key", "tls.crt", "tls.key"))
    )
    assert (first.err, second.err) == ("created: authority, leaf\n", "all certificates are valid; nothing changed\n")
    assert [line.split(":")[0] for line in third.out.splitlines()] == [
        f"good  {folder}/ca.crt",
        f"good  {folder}/tls.crt",
    ]


def test_the_exit_status_of_check_shows_the_result(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    1 for a certificate that is bad, 2 for what could not be looked at.
    """
    main(["dev", "--folder", str(tmp_path)])
    (tmp_path / "tls.crt").write_bytes(b"")

    assert main(["check", str(tmp_path)]) == BAD
    assert "bad   " in capsys.readouterr().out
    assert main(["check", str(tmp_path / "absent")]) == TROUBLE
    assert "No such file" in capsys.readouterr().err


def test_the_default_lifetimes_are_a_year_and_a_week() -> None:
    """
    A year for the authority, a week for the leaf, which serves the Service's name in its namespace and nothing else.
    """
    settings = _settings(_parser().parse_args(ROTATE))

    assert settings.terms == Terms(
        ("migratable.webhooks.svc",),
        authority_lifetime=timedelta(days=365),
        leaf_lifetime=timedelta(days=7),
        bundle_settle=timedelta(seconds=4),
        leaf_settle=timedelta(minutes=3),
    )
    assert (settings.authority_secret, settings.serving_secret) == ("ca", "leaf")


def test_each_setting_can_be_an_environment_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    As a Deployment gives it; lists by commas, and a flag beats a variable.
    """
    for name, value in {
        "CERTS_LEAF_LIFETIME": "48h",
        "CERTS_MUTATING": "one,two",
        "CERTS_VALIDATING": "three",
        "CERTS_SERVICE": "first,second",
        "CERTS_INTERVAL": "1s",
    }.items():
        monkeypatch.setenv(name, value)

    settings = _settings(_parser().parse_args([*ROTATE, "--interval=2s"]))

    assert settings.terms.leaf_lifetime == timedelta(hours=48)
    assert settings.terms.names == ("migratable.webhooks.svc",)
    assert settings.interval == timedelta(seconds=2)
    assert settings.configurations == (
        ConfigurationName("validatingwebhookconfigurations", "three"),
        ConfigurationName("mutatingwebhookconfigurations", "one"),
        ConfigurationName("mutatingwebhookconfigurations", "two"),
    )


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("168h", timedelta(days=7)),
        ("1h30m", timedelta(minutes=90)),
        ("7d", timedelta(days=7)),
        ("0.5s", timedelta(0, 0.5)),
    ],
)
def test_durations_have_the_format_of_kubernetes(text: str, span: timedelta) -> None:
    """
    And with ``d`` for 24 hours besides.
    """
    assert duration(text) == span


@pytest.mark.parametrize("text", ["", "7", "1w", "-1h", "1h 30m", "h", "9" * 400 + "d"])
def test_an_invalid_duration_is_refused(text: str) -> None:
    """
    Rather than guessed.
    """
    with pytest.raises(argparse.ArgumentTypeError):
        duration(text)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--leaf-lifetime=5m"], "the leaf lifetime must be longer than three times both settle times"),
        (["--dns-name=*.svc"], "is neither a DNS name nor an IP address"),
        (["--interval=2m"], "the interval must be between 0 and 60 seconds"),
        (["--serving-secret=ca"], "need two Secrets"),
        (["--replicas=nowhere"], "invalid value 'nowhere' of --replicas; use HOST:PORT"),
        (["--replicas=host:99999"], "invalid value 'host:99999' of --replicas; use HOST:PORT"),
        (["--leaf-lifetime=soon"], "invalid duration 'soon'"),
    ],
)
def test_settings_that_cannot_work_are_usage_errors(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Status 2 and the reason, before anything is asked of a cluster.
    """
    with pytest.raises(SystemExit) as ended:
        main([*ROTATE, *arguments])

    assert ended.value.code == TROUBLE
    assert complaint in capsys.readouterr().err


def test_rotate_without_a_cluster_ends_with_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    No traceback: what is missing, and what to do.
    """
    status = main([*ROTATE, "--kubeconfig", str(tmp_path / "absent")])

    assert status == TROUBLE
    assert "Run in a pod with a service account, or set --kubeconfig to a file." in capsys.readouterr().err


def test_dev_and_check_do_not_import_a_client() -> None:
    """
    They run on a workstation, where the third of a second that the client takes to import would be felt.
    """
    program = "import certs.__main__, sys; sys.exit('kubernetes' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": "."}, check=False)

    assert done.returncode == 0
