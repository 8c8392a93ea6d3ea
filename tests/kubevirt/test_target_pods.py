"""Target pods of KubeVirt's own code, release by release (tests/data/target-pods/README.md)."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.kubevirt.evictions import release_of
from tests.kubevirt.target_pods import Comparison, cases_of, main

DATA = Path(__file__).parent.parent / "data" / "target-pods"
FILES = sorted(DATA.glob("*.jsonl.gz"))
FIRST = DATA / "v1.9.0.jsonl.gz"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_field_of_every_target_pod_agrees_with_kubevirt(file: Path) -> None:
    """
    Selectors, affinity, containers, requests and overhead are KubeVirt's own.
    """
    comparison = Comparison()

    for case in cases_of(file):
        comparison.add(case, release_of(file, None))

    assert comparison.differences == []
    assert comparison.compared[release_of(file, None), "effectiveRequests"] >= 140


def test_a_difference_is_listed_with_both_values(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    The exit status is 1, and the line names the case, the field, and both values.
    """
    case = _first_case()
    case["expected"]["memoryOverhead"] += 1
    changed = tmp_path / "changed.jsonl"
    changed.write_text(json.dumps(case))

    status = main([str(changed), "--release", "v1.9.0"])

    kubevirt = case["expected"]["memoryOverhead"]
    assert status == 1
    assert capsys.readouterr().out.splitlines()[-1] == (
        f"v1.9.0 {case['id']} memoryOverhead: KubeVirt {kubevirt}, Migratable {kubevirt - 1}"
    )


def test_quantities_are_compared_by_value(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    ``1000m`` and ``1`` are the same amount of CPUs.
    """
    case = _first_case()
    for container in case["expected"]["containers"]:
        container["requests"]["ephemeral-storage" if container["name"] == "compute" else "cpu"] = (
            "50000k" if container["name"] == "compute" else container["requests"]["cpu"]
        )
    same = tmp_path / "v1.9.0.jsonl"
    same.write_text(json.dumps(case))

    assert main([str(same)]) == 0
    assert "containers: 1 of 1 agree" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("v1.9.0.jsonl", "{", "line 1: Expecting"),
        ("v1.9.0.jsonl", '{"vmi": {}}', "line 1: the line is no target pod"),
        ("pods.jsonl", "", "the name contains no release such as v1.9.0; pass --release"),
    ],
)
def test_bad_input_is_an_error(
    name: str, content: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    The message names the file and the line.
    """
    file = tmp_path / name
    file.write_text(content)

    assert main([str(file)]) == 2
    assert message in capsys.readouterr().err


def _first_case() -> dict[str, Any]:
    case: dict[str, Any] = json.loads(gzip.decompress(FIRST.read_bytes()).splitlines()[0])
    return case
