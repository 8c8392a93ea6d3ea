"""docs/rotation.md shows what the certificate programs print."""

import logging
import re
import shlex
from datetime import timedelta
from pathlib import Path

import pytest

from certs.__main__ import main
from certs.cluster import Configuration, ConfigurationName
from certs.drift import Drift
from tests.certs.world import World
from tests.docs.blocks import blocks, steps

CHANGE_OF_THE_CA, CHANGES_BY_OTHERS = LOGS = blocks("docs/rotation.md", "text")
CONSOLE = blocks("docs/rotation.md", "console")
_TIME = re.compile(r"\d{4}-\d\d-\d\d |^\d\d:\d\d:\d\d |\d\d:\d\d:\d\d")
_NAME = re.compile(r"(mutating|validating)webhookconfigurations/\S+ webhook \S+ and \d+ more|\d+\.\d+\.\d+\.\d+(:\d+)?")


def bare(log: str) -> list[str]:
    """The lines of a log without times, names and addresses."""
    return [_NAME.sub("NAME", _TIME.sub("", line)) for line in log.splitlines()]


def test_the_page_shows_the_log_of_a_change_of_the_ca(caplog: pytest.LogCaptureFixture) -> None:
    """
    The CA is lost, and one of two replicas reads its Secret late.
    """
    world = World(slow_replica=timedelta(minutes=5)).healthy()
    world.damage_secret("authority", "empty")
    caplog.clear()  # another test may have set the level
    with caplog.at_level(logging.INFO, "certs"):
        assert world.work()

    assert bare("\n".join(caplog.messages)) == bare(CHANGE_OF_THE_CA.text)


def test_the_page_shows_the_log_of_changes_by_others(caplog: pytest.LogCaptureFixture) -> None:
    """
    A person edits two webhooks, and then removes the configuration.
    """
    name = ConfigurationName("validatingwebhookconfigurations", "migratable-validate")
    first = {"failurePolicy": "Fail", "rules": ["a"]}
    second = {"failurePolicy": "Fail", "rules": ["b"]}
    drift = Drift()
    with caplog.at_level(logging.INFO, "certs"):
        for hooks, writer in (((first, second), "helm"), (({}, {"rules": ["b"]}), "kubectl-edit")):
            names = ("kubevirt.validate.migratable", "migrationpolicy.validate.migratable")
            webhooks = dict(zip(names, hooks, strict=True))
            drift.observe(name, Configuration(name, dict.fromkeys(names, b""), "1", "1", webhooks, writer))
        drift.observe(name, None)

    assert caplog.messages == bare(CHANGES_BY_OTHERS.text)


def test_the_page_shows_the_lifetimes_of_local_certificates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Up to the dates.
    """
    [(command, output)] = [step for block in CONSOLE for step in steps(block)]
    monkeypatch.chdir(tmp_path)
    main(["dev"])
    capsys.readouterr()

    main(shlex.split(command.removeprefix("python -m certs ")))

    assert bare(capsys.readouterr().out) == bare(output)
