"""Whole outputs of commands, recorded in ``tests/snapshots/cli``."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.snapshots.snapshot import FOLDER, redacted, snapshot
from tests.surfaces.manifests import BAD, CLAIM, GOOD, UNPROVEN
from tests.surfaces.running import migratable
from webhook.surfaces.cli.main import COMMANDS

KUBEVIRT = """\
apiVersion: kubevirt.io/v1
kind: KubeVirt
metadata: {name: kubevirt, namespace: kubevirt}
spec: {configuration: {migrations: {bandwidthPerMigration: 5Mi}}}
status: {observedKubeVirtVersion: v1.9.0}
"""
FILES = {
    "bad.yaml": BAD,
    "good.yaml": GOOD,
    "unproven.yaml": UNPROVEN,
    "claim.yaml": CLAIM,
    "kubevirt.yaml": KUBEVIRT,
    "broken.yaml": "a: [\n",
}
MIXED = ("bad.yaml", "good.yaml", "unproven.yaml", "broken.yaml")
RUNS: dict[str, tuple[str, ...]] = {
    "help.txt": ("--help",),
    **{f"help-{command}.txt": (command, "--help") for command in COMMANDS},
    "check.txt": ("check", *MIXED),
    "check-verbose.txt": ("check", "-v", "--release", "1.9", "good.yaml", "unproven.yaml"),
    "check-json.txt": ("check", "-o", "json", "bad.yaml"),
    "check-sarif.txt": ("check", "-o", "sarif", *MIXED),
    "check-diff.txt": ("check", "--diff", "bad.yaml"),
    "check-options.txt": ("check", "--options", "bad.yaml"),
    "check-usage.txt": ("check", "--fix", "--diff", "bad.yaml"),
    "show-config.txt": ("check", "--show-config", "--strict", "--skip", "LM3"),
    "explain.txt": ("explain", "LM201"),
    "explain-unknown.txt": ("explain", "LM2O1"),
    "explain-vm.txt": ("explain", "vm/bad", "--facts", "bad.yaml", "claim.yaml", "kubevirt.yaml"),
    "explain-settings.txt": ("explain-settings", "kubevirt.yaml", "good.yaml"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    (tmp_path / ".git").mkdir()
    return tmp_path


def without_rule_texts(log: str) -> str:
    """A SARIF log with only the ids of the rules: ``docs/rules`` has their texts."""
    document: dict[str, Any] = json.loads(log)
    for run in document["runs"]:
        driver = run["tool"]["driver"]
        driver["rules"] = [rule["id"] for rule in driver["rules"]]
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("name", RUNS)
def test_a_command_prints_the_recorded_output(folder: Path, name: str) -> None:
    """
    Standard output, standard error and exit status are as recorded.
    """
    ran = migratable(*RUNS[name], cwd=folder)

    out = without_rule_texts(ran.out) if name == "check-sarif.txt" else ran.out
    shown = redacted(f"$ migratable {' '.join(RUNS[name])}\n{out}--- stderr\n{ran.err}--- status {ran.status}\n")
    assert shown == snapshot(f"cli/{name}", shown)


def test_each_recorded_output_belongs_to_a_command() -> None:
    """
    No snapshot is left over.
    """
    assert {path.name for path in (FOLDER / "cli").iterdir()} == set(RUNS)
