"""Evictions and evacuations of KubeVirt's own code, release by release (tests/data/evictions/README.md)."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.kubevirt.evictions import cases_of, compare, main

DATA = Path(__file__).parent.parent / "data" / "evictions"
FILES = sorted(DATA.glob("*.jsonl.gz"))
FIRST = DATA / "v1.9.0.jsonl.gz"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_field_of_every_case_agrees_with_kubevirt(file: Path) -> None:
    """
    The answers of the eviction webhook and the migrations of the evacuation controller are KubeVirt's own.
    """
    comparison = compare([file], None)

    assert comparison.differences == []
    assert max(comparison.compared.values()) in {300, 529}


def test_there_are_files_of_all_supported_releases() -> None:
    """
    The webhook is compared in seven releases, and the controller in six.
    """
    names = [file.name for file in FILES]

    assert sum(name.startswith("v1.") for name in names) == 7
    assert sum(name.startswith("evacuation-v1.") for name in names) == 6


def test_plain_and_compressed_files_of_both_formats_are_recognised_by_their_content(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    The name of a file matters only for the release.
    """
    plain, compressed = tmp_path / "one-v1.9.0", tmp_path / "two-v1.6.6.txt"
    plain.write_bytes(gzip.decompress((DATA / "evacuation-v1.9.0.jsonl.gz").read_bytes()))
    compressed.write_bytes((DATA / "v1.6.6.jsonl.gz").read_bytes())

    status = main([str(plain), str(compressed)])

    assert status == 0
    assert capsys.readouterr().out.splitlines() == [
        "v1.6.6 evictions allowed: 529 of 529 agree",
        "v1.6.6 evictions code: 284 of 284 agree",
        "v1.6.6 evictions message: 284 of 284 agree",
        "v1.6.6 evictions patches: 529 of 529 agree",
        "v1.9.0 evacuations candidates: 300 of 300 agree",
        "v1.9.0 evacuations created: 300 of 300 agree",
        "v1.9.0 evacuations events: 300 of 300 agree",
    ]


def first_case() -> dict[str, Any]:
    return next(cases_of(FIRST))


def test_a_difference_is_listed_and_sets_exit_status_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    A difference names the release, the case, the field and both values.
    """
    file = tmp_path / "v1.9.0.jsonl"
    file.write_text(json.dumps(first_case() | {"expected": {"allowed": False, "patches": []}}))

    status = main([str(file)])

    assert status == 1
    assert "v1.9.0 table-0000 allowed: KubeVirt false, Migratable true" in capsys.readouterr().out.splitlines()


def test_the_option_release_has_precedence_over_the_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    ``--release`` sets the release of all files.
    """
    file = tmp_path / "v1.9.0.jsonl"
    file.write_text(json.dumps(first_case()))

    main(["--release", "v1.3.1", str(file)])

    assert capsys.readouterr().out.startswith("v1.3.1 evictions allowed: 1 of 1 agree\n")


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("cases.jsonl", "{}", "cases.jsonl: the name contains no release such as v1.9.0; pass --release"),
        ("v1.9.0.jsonl", "{}", "v1.9.0.jsonl: line 1: the line is no eviction and no evacuation"),
        (
            "v1.9.0.jsonl",
            '{"eviction": {}, "expected": {}, "namespace": "n", "name": "p", "pods": [{"spec": 1}]}',
            "v1.9.0.jsonl: case 1: Expected `object`, got `int` - at `$[0].spec`",
        ),
        ("v1.9.0.jsonl", '{"eviction": {}, "expected": {}}', "v1.9.0.jsonl: case 1: 'namespace'"),
        ("v1.9.0.jsonl", "\n[", "v1.9.0.jsonl: line 2: Expecting value: line 1 column 2 (char 1)"),
    ],
)
def test_bad_input_has_an_error_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: str, error: str
) -> None:
    """
    Input that cannot be read sets exit status 2.
    """
    (tmp_path / name).write_text(content)

    status = main([str(tmp_path / name)])

    assert status == 2
    assert capsys.readouterr().err == f"error: {tmp_path}/{error}\n"
