"""Every fix that the text of ``check`` offers is written, or a line says why not."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.surfaces.running import migratable

ONLY = "check", "--isolated", "--only", "LM502", "--only", "LM804"


def machine(name: str = "a", *, strategy: str = "always", annotations: dict[str, str] | None = None) -> dict[str, Any]:
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {"name": name, "annotations": annotations or {}},
        "spec": {"runStrategy": strategy, "template": {"spec": {"evictionStrategy": "livemigrate", "domain": {}}}},
    }


def count(pattern: str, text: str) -> int:
    match = re.search(pattern, text)
    return int(match[1]) if match else 0


def fixed_and_explained(folder: Path, name: str) -> tuple[int, int, int]:
    """The offered, the fixed and the explained findings."""
    offered = count(r"--fix can fix (\d+) finding", migratable(*ONLY, name, cwd=folder).out)
    ran = migratable(*ONLY, "--fix", name, cwd=folder)
    return offered, count(r"note: fixed (\d+) finding", ran.err), ran.err.count("cannot be fixed: ")


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(json.dumps(machine(name)) for name in "ab"),
        "".join(json.dumps(machine(name)) for name in "ab"),
        "\n---\n".join(json.dumps(machine(name)) for name in "ab"),
        json.dumps({"apiVersion": "v1", "kind": "List", "items": [machine("a"), machine("b")]}),
        json.dumps({"apiVersion": "v1", "kind": "List", "items": [machine("a"), machine("a")]}),
        "\ufeff" + json.dumps(machine("a"), indent=1) + json.dumps(machine("b"), indent=1),
    ],
    ids=["lines", "one line", "separator", "List", "same name", "byte order mark"],
)
def test_every_object_of_a_json_file_is_fixed(tmp_path: Path, text: str) -> None:
    """
    Several JSON values in a file are fixed in one run, also in the same line. The other bytes stay.
    """
    (tmp_path / "vm.json").write_text(text)

    assert fixed_and_explained(tmp_path, "vm.json") == (4, 4, 0)
    fixed = text.replace("livemigrate", "LiveMigrate").replace("always", "Always")
    assert (tmp_path / "vm.json").read_text() == fixed


@pytest.mark.parametrize(
    "annotations",
    [{"x": "\U0001f600"}, {"x": "\x01\x7f\u2028\ufeff"}, {"x" * 1100: "long"}, {"x": 'a/b\\"\t\n'}],
    ids=["surrogate pair", "control characters", "long key", "escapes"],
)
def test_json_that_yaml_cannot_read_is_fixed(tmp_path: Path, annotations: dict[str, str]) -> None:
    """
    The text that ``json.dumps`` writes keeps its escapes and key.
    """
    text = json.dumps(machine(annotations=annotations))
    (tmp_path / "vm.json").write_text(text)

    assert fixed_and_explained(tmp_path, "vm.json") == (2, 2, 0)
    fixed = text.replace("livemigrate", "LiveMigrate").replace("always", "Always")
    assert (tmp_path / "vm.json").read_text() == fixed


def test_a_fix_that_cannot_be_written_is_explained(tmp_path: Path) -> None:
    """
    An anchor makes the change impossible: ``--fix`` and ``--diff`` say where and why.
    """
    text = (
        json.dumps(machine()).replace('"always"', "&s always").replace('"annotations": {}', '"annotations": {"a": *s}')
    )
    text = text.replace('{"name": "a", "annotations": {"a": *s}}', '{"name": "a"}')[:-1] + ', "status": {"phase": *s}}'
    (tmp_path / "vm.yaml").write_text(text)

    for option in ("--diff", "--fix"):
        ran = migratable(*ONLY, option, "vm.yaml", cwd=tmp_path)
        assert (
            "LM804 cannot be fixed: the field cannot be changed without changing other fields. Make the change by hand."
            in ran.err
        )
        assert ran.err.startswith("note: ")


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=6)
MACHINES = st.builds(
    machine,
    st.sampled_from(["a", "b", "c"]),
    strategy=st.sampled_from(["always", "Always", "halted"]),
    annotations=st.dictionaries(TEXTS, TEXTS, max_size=2),
)


@st.composite
def files(draw: st.DrawFn) -> str:
    """Several VMs as YAML or JSON in different layouts."""
    machines = draw(st.lists(MACHINES, min_size=1, max_size=3))
    if draw(st.booleans()):
        machines = [{"apiVersion": "v1", "kind": "List", "items": machines}]
    if draw(st.booleans()):
        between = draw(st.sampled_from(["", "\n", "\n---\n"]))
        shape = {"ensure_ascii": draw(st.booleans()), "indent": draw(st.sampled_from([None, 0, 2]))}
        return between.join(json.dumps(one, **shape) for one in machines)
    return yaml.safe_dump_all(
        machines,
        default_flow_style=draw(st.sampled_from([True, False, None])),
        default_style=draw(st.sampled_from([None, '"', "'"])),
        allow_unicode=draw(st.booleans()),
        width=draw(st.sampled_from([20, 1000])),
    )


@given(files())
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_offered_fixes_are_written_or_explained(tmp_path: Path, text: str) -> None:
    """
    The number in the text is the number of fixed findings and of lines that explain why a finding is not fixed.
    """
    (tmp_path / "vm.yaml").write_text(text, encoding="utf-8", newline="")

    offered, fixed, explained = fixed_and_explained(tmp_path, "vm.yaml")

    assert offered == fixed + explained
