"""The commands of the pages about the audit do what the pages say, in the order of the page."""

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.audit.clusters import Manifest, claim, vm
from tests.docs.blocks import blocks
from tests.surfaces.cli.audits import Run, audits
from webhook.manifests.policy_file import parse_policy
from webhook.yaml.document import read_documents

DOCS = Path(__file__).parents[2] / "docs"
OLD = (
    *(vm("web", "os"), claim("os", mode="ReadWriteOnce")),
    *(vm("good", "rwx"), claim("rwx")),
)
MENDED = (*(vm("web", "os"), claim("os")), *OLD[2:])
NEW = (*OLD, vm("new", "disk"), claim("disk", mode="ReadWriteOnce"))


def commands(page: str) -> list[list[str]]:
    """The commands of Migratable in the shell blocks of a page."""
    lines = [line for block in blocks(f"docs/{page}", "sh", "console") for line in block.text.splitlines()]
    lines = [line.removeprefix("$ ") for line in lines if line.removeprefix("$ ").startswith("migratable audit")]
    return [shlex.split(re.sub(r'"\$\(date [^)]*\)"', "2999-01-31", line))[2:] for line in lines]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs ``migratable audit`` in a folder, on a cluster with some objects."""
    return audits(monkeypatch, tmp_path)


def statuses(run: Run, lines: list[list[str]], objects: tuple[Manifest, ...]) -> dict[str, int]:
    return {" ".join(words): run(*words, objects=objects).status for words in lines}


def test_the_week_leads_from_findings_to_a_cluster_that_passes(run: Run, tmp_path: Path) -> None:
    """
    The baseline and the exemptions of day 2 make the audit succeed, and later steps still find what is new.
    """
    lines = commands("enforce.md")

    first_days = statuses(run, lines, OLD)

    assert first_days == {
        "-o summary -o json=monday.json": 1,
        "-o baseline=known.yaml": 1,
        "--baseline known.yaml": 0,
        "-o exemptions=policy.yaml --owner platform team --until 2999-01-31": 1,
        "--policy policy.yaml": 0,
        "--group-by remedy": 1,
        "-n shop -o text": 1,
        "--baseline known.yaml --since-baseline --fail-on warn": 0,
        "--baseline known.yaml -o baseline=known.yaml": 0,
    }
    assert json.loads((tmp_path / "monday.json").read_text())["summary"]["deny"] == 1
    *_, daily, renewal = lines
    assert run(*daily, objects=NEW).status == 1
    run(*renewal, objects=MENDED)
    assert "web" not in (tmp_path / "known.yaml").read_text()


def test_the_policy_fits_into_the_values_of_the_chart(run: Run, tmp_path: Path) -> None:
    """
    The shell command of day 3 puts the exemptions under ``policy`` of the chart.
    """
    (line,) = set(re.findall(r"^\{ echo 'policy:'.*$", (DOCS / "enforce.md").read_text(), re.MULTILINE))
    run("-o", "exemptions=policy.yaml", "--owner", "platform team", "--until", "2999-01-31", objects=OLD)

    subprocess.run(["sh", "-c", line], cwd=tmp_path, check=True)

    values = read_documents((tmp_path / "policy-values.yaml").read_bytes(), "values")[0].value
    policy = parse_policy(json.dumps(values["policy"]).encode(), "values")
    assert policy == parse_policy((tmp_path / "policy.yaml").read_bytes(), "policy")
    assert len(policy.exemptions) == 1


def test_the_commands_of_the_page_about_the_audit_are_accepted(run: Run, tmp_path: Path) -> None:
    """
    No command of the page is a usage error. The merge needs the reports of all shards.
    """
    run("--shard", "1/1", "-o", "json=shard-1.json", objects=OLD)

    shown = [[word.replace("*", "1") for word in words] for words in commands("audit.md")]

    assert len(shown) == 7
    assert set(statuses(run, shown, OLD).values()) <= {0, 1}
