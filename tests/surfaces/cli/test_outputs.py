"""Several output formats at once, and their targets."""

import json
import xml.etree.ElementTree as Xml
from pathlib import Path

import pytest

from tests.surfaces.manifests import BAD
from tests.surfaces.running import migratable
from webhook.surfaces.cli.options import FORMATS


def test_one_run_writes_all_formats(tmp_path: Path) -> None:
    """
    Each ``-o FORMAT=FILE`` writes its file; the format without a file goes to standard output, alone.
    """
    (tmp_path / "vm.yaml").write_text(BAD)
    outputs = [part for form in FORMATS for part in ("-o", f"{form}=out.{form}")]

    ran = migratable("check", "vm.yaml", *outputs, "-o", "json", cwd=tmp_path)

    assert (ran.status, ran.err) == (1, "")
    assert json.loads(ran.out) == json.loads((tmp_path / "out.json").read_text())
    assert json.loads((tmp_path / "out.sarif").read_text())["version"] == "2.1.0"
    assert Xml.parse(tmp_path / "out.junit").getroot().tag == "testsuites"
    for form in FORMATS:
        assert "LM101" in (tmp_path / f"out.{form}").read_text(), form


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        (["json", "sarif"], "Two formats cannot both go to standard output"),
        (["json=a", "sarif=a"], "Two formats cannot both go to a"),
        (["sarfi"], "Unknown output format 'sarfi' (did you mean sarif?)"),
        (["nothing-like-it"], "Unknown output format 'nothing-like-it'. Formats: text, concise, json"),
    ],
)
def test_impossible_outputs_are_usage_errors(tmp_path: Path, outputs: list[str], message: str) -> None:
    """
    Two formats with one target and unknown formats are refused before any input is read.
    """
    (tmp_path / "vm.yaml").write_text(BAD)

    ran = migratable("check", "vm.yaml", *(part for item in outputs for part in ("-o", item)), cwd=tmp_path)

    assert (ran.status, ran.out) == (2, "")
    assert message in " ".join(ran.err.split())


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    """
    The message has a remedy and no traceback.
    """
    (tmp_path / "vm.yaml").write_text(BAD)

    ran = migratable("check", "vm.yaml", "-o", "json=missing/out.json", cwd=tmp_path)

    assert (ran.status, ran.err) == (
        2,
        "error: cannot write missing/out.json: No such file or directory. Name a file in a folder that exists.\n",
    )


def test_standard_output_is_complete_if_a_file_cannot_be_written(tmp_path: Path) -> None:
    """
    The text is printed, also if it is last on the command line. Files that can be written are written.
    """
    (tmp_path / "vm.yaml").write_text(BAD)
    words = ("-o", "sarif=missing/a", "-o", "junit=out.xml", "-o", "gitlab=missing/b", "-o", "text")

    ran = migratable("check", "vm.yaml", *words, cwd=tmp_path)

    assert ran.status == 2
    assert "LM101 bridge-on-pod-network" in ran.out
    assert Xml.parse(tmp_path / "out.xml").getroot().tag == "testsuites"
    assert [line.partition(": No such")[0] for line in ran.err.splitlines()] == [
        "error: cannot write missing/a",
        "error: cannot write missing/b",
    ]
