"""UTF-16 and byte order marks are read as kubectl reads them, and input may come from any pipe."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.surfaces.manifests import BAD, GOOD
from tests.surfaces.running import ROOT, migratable
from webhook.yaml.document import MAX_BYTES

BOM = "\ufeff"
SPELT = BAD.replace("spec:", "spec:\n  evictionStrategy: LiveMigrate", 1)
MISSPELT = SPELT.replace("LiveMigrate", "livemigrate")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_with_a_byte_order_mark_is_judged_and_fixed(tmp_path: Path, encoding: str) -> None:
    """
    kubectl reads it, too. A fixed file keeps its encoding.
    """
    path = tmp_path / "vm.yaml"
    path.write_bytes(f"{BOM}{MISSPELT}".encode(encoding))

    piped = migratable("check", "--isolated", "-", stdin=path.read_bytes())
    ran = migratable("check", "--isolated", "--fix", "vm.yaml", cwd=tmp_path)

    assert "LM101" in piped.out
    assert (ran.status, "LM101" in ran.out) == (1, True)
    assert "note: fixed 1 finding in 1 file" in ran.err
    assert path.read_bytes() == f"{BOM}{SPELT}".encode(encoding)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("separator", ["---\n", "--- # next\n"])
def test_a_byte_order_mark_after_a_separator_is_ignored(tmp_path: Path, separator: str, newline: str) -> None:
    """
    ``kubectl`` parses each part alone. The mark stays in a fixed file, and lines and columns are right.
    """
    text = f"{separator}{BOM}{GOOD}{separator}{BOM}{MISSPELT}".replace("\n", newline)
    (tmp_path / "vm.yaml").write_bytes(text.encode())
    plain = text.replace(BOM, "")
    (tmp_path / "plain.yaml").write_bytes(plain.encode())

    expected = migratable("check", "--isolated", "plain.yaml", cwd=tmp_path)
    ran = migratable("check", "--isolated", "vm.yaml", cwd=tmp_path)
    migratable("check", "--isolated", "--fix", "vm.yaml", cwd=tmp_path)

    assert ran.out == expected.out.replace("plain.yaml", "vm.yaml")
    assert (tmp_path / "vm.yaml").read_bytes().decode() == text.replace("livemigrate", "LiveMigrate")


def test_a_byte_order_mark_elsewhere_is_an_error(tmp_path: Path) -> None:
    """
    In the middle of a part, it may belong to a key.
    """
    (tmp_path / "vm.yaml").write_text(f"# x\n{BOM}{GOOD}", encoding="utf-8")

    ran = migratable("check", "--isolated", "vm.yaml", cwd=tmp_path)

    assert (ran.status, "vm.yaml:2:1: byte order mark inside the file" in ran.err) == (2, True)


@pytest.mark.parametrize("path", ["/dev/stdin", "<(cat vm.yaml)"])
def test_pipes_of_the_shell_are_judged(tmp_path: Path, path: str) -> None:
    """
    ``/dev/stdin`` and process substitution are read as standard input is. ``--fix`` cannot write to them.
    """
    (tmp_path / "vm.yaml").write_text(MISSPELT)
    program = f"{sys.executable} -m webhook check --isolated"

    ran, fix = (
        subprocess.run(
            ["bash", "-c", f"cat vm.yaml | {program} {option} {path}"],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        for option in ("", "--fix")
    )

    assert (ran.returncode, "LM101" in ran.stdout) == (1, True)
    assert (fix.returncode, "--fix can change only regular files" in fix.stderr) == (2, True)


def test_standard_input_may_be_larger_than_a_file() -> None:
    """
    ``kubectl get -A`` prints one List of all objects, which cannot be split.
    """
    filler = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": "x" * 1_000_000}}
    listed = {"apiVersion": "v1", "kind": "List", "items": [filler] * 12}
    text = f"{json.dumps(listed)}\n---\n{json.dumps(listed)}"
    assert len(text) > 2 * MAX_BYTES

    ran = migratable("check", "--isolated", "-", stdin=text)

    assert (ran.status, ran.err) == (0, "")


def test_a_device_without_text_is_an_error() -> None:
    """
    An endless device is not read to its end.
    """
    with Path("/dev/zero").open("rb") as endless:
        ran = subprocess.run(
            [sys.executable, "-m", "webhook", "check", "--isolated", "-"],
            stdin=endless,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    assert (ran.returncode, "the input is a binary file" in ran.stderr) == (2, True)
