"""docs/audit.md shows what the audit prints about the cluster in ``examples/fleet``."""

import shlex
from pathlib import Path

import pytest

from tests.audit.clusters import FakeCluster
from tests.docs.blocks import Block, blocks, matches, steps
from tests.drain.example_fleet import FOLDER
from tests.surfaces.running import migratable
from webhook.manifests.objects import read_manifests
from webhook.surfaces.cli import run_audit

BLOCKS = blocks("docs/audit.md", "console")


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_the_page_shows_the_output_of_the_audit(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Up to the lines that the page leaves out.
    """
    files = [read_manifests(path.read_bytes(), path.name) for path in sorted(FOLDER.glob("*.yaml"))]
    cluster = FakeCluster([dict(found.raw) for file in files for found in file.objects])
    monkeypatch.setattr(run_audit, "connected", lambda *_args, **_options: (cluster.transport, "a cluster"))
    [(command, output)] = steps(block)

    ran = migratable(*shlex.split(command)[1:], cwd=tmp_path)

    assert matches(ran.out + ran.err, output), ran.out + ran.err
