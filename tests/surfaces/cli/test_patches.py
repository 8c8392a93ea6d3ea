"""The output of ``check --diff`` applies with ``patch -p1`` and ``git apply``, and gives what ``--fix`` writes."""

import codecs
import json
import os
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.surfaces.cli.test_fix_promises import ONLY, files, machine
from tests.surfaces.running import Ran, migratable

PATCH = ("patch", "-p1", "-s", "--no-backup-if-mismatch")
GIT = ("git", "apply", "--whitespace=nowarn", "-")
APPLY = pytest.mark.parametrize("command", [PATCH, GIT], ids=["patch", "git apply"])
TEXT = json.dumps(machine(), indent=1) + "\n"
PARTS = st.text(
    st.one_of(
        st.sampled_from(" \t\"\\\n'`$a\u00e4\u65e5\u202e\U0001f600\udcff"), st.characters(exclude_characters="/\0")
    ),
    min_size=1,
    max_size=8,
).filter(lambda part: part not in (".", "..") and is_name(part))
NAMES = st.builds(lambda parts, name: "/".join([*parts, name]), st.lists(PARTS, max_size=2), PARTS)


def is_name(part: str) -> bool:
    """Whether the file system accepts the name, and git does: it refuses its own folder however it is written."""
    try:
        return len(os.fsencode(part)) <= 200 and ".git" not in part.lower()
    except UnicodeEncodeError:  # a surrogate that is not the byte of a name
        return False


def write(folder: Path, contents: dict[str, bytes]) -> None:
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def read(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def apply(command: tuple[str, ...], folder: Path, patch: bytes) -> None:
    if patch:
        subprocess.run(
            command,
            cwd=folder,
            input=patch,
            check=True,
            capture_output=True,
            env=os.environ | {"GIT_DIR": "none", "LC_ALL": "C.UTF-8"},
        )


def patched_and_fixed(contents: dict[str, bytes]) -> tuple[Ran, list[dict[str, bytes]]]:
    """The run with ``--diff``; and the files after ``patch``, after ``git apply``, and after ``--fix``."""
    with tempfile.TemporaryDirectory() as folder:
        trees = [Path(folder, name) for name in ("patched", "applied", "fixed")]
        for tree in trees:
            tree.mkdir()
            write(tree, contents)
        arguments = [f"./{name}" for name in contents]
        shown = migratable(*ONLY, "--diff", *arguments, cwd=trees[0])
        migratable(*ONLY, "--fix", *arguments, cwd=trees[2])
        for command, tree in zip((PATCH, GIT), trees, strict=False):
            apply(command, tree, shown.out_bytes)
        return shown, [read(tree) for tree in trees]


@given(NAMES, files())
@example("two\nlines/a\tb.yaml", TEXT)
@example("blank /at end ", TEXT)
@example("back\\slash\\n", TEXT)
@example('"quoted"', TEXT)
@example("\udcff \u65e5.yaml", TEXT)
@settings(deadline=None, max_examples=60)
def test_a_diff_applies_to_any_name(name: str, text: str) -> None:
    """
    Blanks, tabs, quotes, backslashes, newlines, invisible characters, and bytes that are not UTF-8.
    """
    _, (patched, applied, fixed) = patched_and_fixed({name: text.encode()})

    assert patched == fixed
    assert applied == fixed


def encoded(text: str, encoding: str, newline: str, end: str) -> bytes:
    mark, _, codec = encoding.rpartition("+")
    return (codecs.BOM_UTF8 if mark else b"") + (text.rstrip("\n") + end).replace("\n", newline).encode(codec)


@given(
    files(),
    st.sampled_from(["utf-8", "bom+utf-8", "utf-16"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["", "\n", "\n\n"]),
)
@settings(deadline=None, max_examples=60)
def test_a_diff_applies_to_any_encoding_or_says_why_not(text: str, encoding: str, newline: str, end: str) -> None:
    """
    CRLF and byte order marks stay. A file in UTF-16 is not in the patch, and a note says so.
    """
    contents = {"a.yaml": TEXT.encode(), "b.yaml": encoded(text, encoding, newline, end)}

    shown, (patched, applied, fixed) = patched_and_fixed(contents)

    if encoding == "utf-16" and fixed["b.yaml"] != contents["b.yaml"]:
        assert "b.yaml is not in the patch: the file is UTF-16, which a patch cannot change. Use --fix" in shown.err
        fixed["b.yaml"] = contents["b.yaml"]
    else:
        assert "not in the patch" not in shown.err
    assert patched == fixed
    assert applied == fixed


def test_utf_16_alone_is_a_change_to_make(tmp_path: Path) -> None:
    """
    The status is 1, as for other changes. Options say why they have no patch.
    """
    (tmp_path / "vm.yaml").write_bytes(
        TEXT.replace('"domain": {}', '"domain": {"devices": {"gpus": [{}]}}').encode("utf-16")
    )

    shown = migratable(*ONLY, "--diff", "vm.yaml", cwd=tmp_path)
    options = migratable("check", "--isolated", "--options", "vm.yaml", cwd=tmp_path)

    assert (shown.status, shown.out) == (1, "")
    assert "(make this change by hand: the file is UTF-16, which a patch cannot change)" in options.out


@APPLY
def test_a_diff_applies_to_the_target_of_a_link(tmp_path: Path, command: tuple[str, ...]) -> None:
    """
    patch and git refuse to follow links and ``..``; ``--fix`` writes the target.
    """
    write(tmp_path, {"base/vm.yaml": TEXT.encode(), "here/x.yaml": b"", "here/real/vm.yaml": TEXT.encode()})
    (tmp_path / "here" / "link.yaml").symlink_to("real/vm.yaml")

    inside = migratable(
        *ONLY, "--diff", "link.yaml", "../here/link.yaml", tmp_path / "here/link.yaml", cwd=tmp_path / "here"
    )
    outside = migratable(*ONLY, "--diff", "../base/vm.yaml", cwd=tmp_path / "here")
    apply(command, tmp_path / "here", inside.out_bytes)

    assert "LiveMigrate" in (tmp_path / "here" / "real" / "vm.yaml").read_text()
    assert (tmp_path / "here" / "link.yaml").is_symlink()
    assert outside.out.startswith(f"--- a{tmp_path}/base/vm.yaml\n")
    assert "the paths in the patch start at /. Apply the patch there: cd / && patch -p1 < PATCH" in outside.err


@APPLY
def test_a_diff_applies_below_a_repository(tmp_path: Path, command: tuple[str, ...]) -> None:
    """
    In a subfolder of a git repository, the patch has the paths from this subfolder.
    """
    write(tmp_path, {"apps/web/vm.yaml": TEXT.encode()})
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)

    shown = migratable(*ONLY, "--diff", ".", cwd=tmp_path / "apps")
    subprocess.run(command, cwd=tmp_path / "apps", input=shown.out_bytes, check=True)

    assert "LiveMigrate" in (tmp_path / "apps" / "web" / "vm.yaml").read_text()


def test_a_printable_name_stays_readable(tmp_path: Path) -> None:
    """
    Quotes appear only where patch and git need them.
    """
    names = ["\u00e4 \u65e5.yaml", 'a"b.yaml', "a\u202eb.yaml"]
    write(tmp_path, {name: TEXT.encode() for name in names})

    shown = migratable(*ONLY, "--diff", ".", cwd=tmp_path)

    heads = [line for line in shown.out.splitlines() if line.startswith("---")]
    assert heads == ['--- "a/a\\"b.yaml"', '--- "a/a\\342\\200\\256b.yaml"', "--- a/\u00e4 \u65e5.yaml\t"]
