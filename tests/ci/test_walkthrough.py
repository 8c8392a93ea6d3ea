"""The commands in docs/ci.md print the output that the page shows, in a copy of ``examples/ci``."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.apiserver.binaries import find_binary
from tests.audit.clusters import FakeCluster
from tests.docs.blocks import blocks, matches, steps
from tests.surfaces.running import PLAIN, ROOT, migratable
from webhook.manifests.objects import read_manifests
from webhook.surfaces.cli import snapshot

BLOCKS = blocks("docs/ci.md", "console")
EXAMPLE = ROOT / "examples" / "ci"
CONFIGURATION = "# migratable.yaml\n"


def walk() -> Iterator[tuple[str, str]]:
    """Each command of the page with its output, and the file that a reader writes between them."""
    for block in blocks("docs/ci.md", "console", "yaml"):
        if block.language == "console":
            yield from steps(block)
        elif block.text.startswith(CONFIGURATION):
            yield f"cat > migratable.yaml <<'EOT'\n{block.text}EOT", ""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with the example, and the programs of the page on PATH."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "migratable").write_text(f'#!/bin/sh\nexec {sys.executable} -m webhook "$@"\n')
    (tmp_path / "bin" / "migratable").chmod(0o755)
    for name in ("kubectl", "helm"):
        (tmp_path / "bin" / name).symlink_to(find_binary(name))
    shutil.copytree(EXAMPLE, tmp_path / "checkout" / "examples" / "ci")
    return tmp_path / "checkout"


@pytest.mark.helm
def test_the_commands_of_the_page_print_its_output(checkout: Path) -> None:
    """
    Every command of the walk prints what the page shows, up to the lines that it leaves out.
    """
    path = f"{checkout.parent / 'bin'}:{os.environ['PATH']}"
    env = {name: value for name, value in PLAIN.items() if value} | {"PATH": path, "PYTHONPATH": str(ROOT)}
    folder, status, last = checkout, 0, checkout.parent / "last"

    for command, expected in walk():
        if command == "echo $?":
            assert f"{status}\n" == expected
            continue
        script = f"exec 2> {last}.err\n{command}\nstatus=$?\npwd > {last}\nexit $status"
        ran = subprocess.run(["bash", "-c", script], cwd=folder, env=env, capture_output=True, text=True, check=False)
        status, folder = ran.returncode, Path(last.read_text().strip())
        printed = ran.stdout + last.with_suffix(".err").read_text()
        assert matches(printed, expected), f"$ {command}\n{printed[-3000:]}"

    assert folder == checkout.parent / "gitops"
    assert (folder / "migratable-baseline.yaml").read_text().count("fingerprint") == 5


def test_the_facts_of_the_example_have_the_form_of_a_snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    `migratable snapshot` of a cluster with these objects writes the same file.
    """
    shown = (EXAMPLE / "cluster.yaml").read_bytes()
    found = read_manifests(shown, "cluster.yaml").objects[0].raw["objects"]
    cluster = FakeCluster(found)
    monkeypatch.setattr(snapshot, "connected", lambda *_args, **_options: (cluster.transport, "a cluster"))

    migratable("snapshot", "-o", tmp_path / "cluster.yaml")

    assert (tmp_path / "cluster.yaml").read_bytes() == shown
