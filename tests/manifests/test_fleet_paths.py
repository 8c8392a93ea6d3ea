"""The files of a fleet are read from files, folders and standard input, and large JSON files as streams."""

import io
import json
import os
import sys
from pathlib import Path

import pytest
import yaml

from webhook.manifests import fleet_paths
from webhook.manifests.fleet_paths import read_paths
from webhook.objects.nad import Node

NODES = [{"apiVersion": "v1", "kind": "Node", "metadata": {"name": f"n{index}"}} for index in range(20)]
LIST = json.dumps({"apiVersion": "v1", "kind": "List", "items": NODES}, indent=1)


YAML = yaml.safe_dump({"apiVersion": "v1", "items": NODES, "kind": "List"})


def names(*paths: object) -> list[str]:
    read = read_paths([str(path) for path in paths])
    assert read.problems == []
    return [node.name for node in read.fleet().given(Node)]


def problems(*paths: object) -> list[str]:
    return [problem.message for problem in read_paths([str(path) for path in paths]).problems]


@pytest.mark.parametrize("size", [10, 1 << 22])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("text", [LIST, "# nodes\n" + LIST, YAML, "---\n" + YAML])
def test_large_files_are_read_as_small_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, encoding: str, text: str
) -> None:
    """
    Only JSON and the YAML of kubectl are read as streams, in UTF-8.
    """
    monkeypatch.setattr(fleet_paths, "_FIRST_BYTES", size)
    file = tmp_path / "nodes.json"
    file.write_text(text, encoding=encoding)

    assert names(file) == [node["metadata"]["name"] for node in NODES]  # type: ignore[index]


@pytest.mark.parametrize("size", [10, 1 << 22])
def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """
    Its name is a dash.
    """
    monkeypatch.setattr(fleet_paths, "_FIRST_BYTES", size)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(LIST.encode())))

    assert len(names("-")) == 20


def test_the_files_of_a_folder_are_read_once(tmp_path: Path) -> None:
    """
    A file can also be named apart from its folder.
    """
    (tmp_path / "nodes.json").write_text(LIST)
    (tmp_path / "node.yaml").write_text("{apiVersion: v1, kind: Node, metadata: {name: other}}")

    assert len(names(tmp_path, tmp_path / "nodes.json")) == 21


def test_a_file_that_does_not_exist_is_reported(tmp_path: Path) -> None:
    """
    The other files are read.
    """
    (tmp_path / "nodes.json").write_text(LIST)
    read = read_paths([str(tmp_path / "none.json"), str(tmp_path / "nodes.json")])

    assert len(read.problems) == 1
    assert len(read.fleet().given(Node)) == 20


def test_endless_binary_input_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Only the first bytes are read.
    """
    monkeypatch.setattr(fleet_paths, "_FIRST_BYTES", 10)

    assert problems("/dev/zero") == ["the input is a binary file or UTF-16"]


def test_a_folder_with_a_pipe_is_read(tmp_path: Path) -> None:
    """
    The pipe is a problem. An open pipe would wait for a writer.
    """
    (tmp_path / "nodes.json").write_text(LIST)
    os.mkfifo(tmp_path / "pipe.yaml")

    assert problems(tmp_path) == ["not a regular file"]
