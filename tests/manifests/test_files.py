"""Every file is read or has a problem of its own: nothing is skipped silently, and nothing hangs (webhook.manifests.files)."""

import io
import os
import socket
from pathlib import Path

import pytest

from webhook.manifests.files import read_all
from webhook.manifests.ignored import IgnorePatterns, Pattern
from webhook.manifests.sources import Sources
from webhook.yaml.document import MAX_BYTES

VM = "apiVersion: kubevirt.io/v1\nkind: VirtualMachine\nmetadata: {name: NAME}\n"


def names(*paths: Path | str, recursive: bool = False, sources: Sources | None = None) -> list[str]:
    inputs = read_all([str(path) for path in paths], recursive=recursive, sources=sources or Sources())
    return [item.object.name for manifests in inputs for item in manifests.objects if item.object is not None]


def problems(*paths: Path | str, recursive: bool = False) -> list[tuple[str, str]]:
    inputs = read_all([str(path) for path in paths], recursive=recursive, sources=Sources())
    for manifests in inputs:
        assert all(problem.remedy for problem in manifests.problems)
    return [(Path(problem.source).name, problem.message) for manifests in inputs for problem in manifests.problems]


def write(path: Path, name: str = "vm") -> Path:
    path.write_text(VM.replace("NAME", name))
    return path


def test_files_are_read_in_the_order_of_the_arguments_and_then_of_the_names(tmp_path: Path) -> None:
    """
    The same command gives the same output on every machine.
    """
    for name in ("b", "a", "c"):
        write(tmp_path / f"{name}.yaml", name)
    other = write(tmp_path / "z.txt", "z")

    assert names(other, tmp_path) == ["z", "a", "b", "c"]


def test_an_explicit_file_may_have_any_name(tmp_path: Path) -> None:
    """
    Suffixes matter only for files in a folder.
    """
    assert names(write(tmp_path / "manifest")) == ["vm"]


def test_the_text_is_kept_for_code_frames(tmp_path: Path) -> None:
    """
    It is kept under the name that the user gave.
    """
    sources = Sources()
    path = write(tmp_path / "a.yaml")

    names(path, sources=sources)

    assert sources.lines == {str(path): VM.replace("NAME", "vm").splitlines()}


def test_special_files_are_a_problem_and_never_opened(tmp_path: Path) -> None:
    """
    This holds for a FIFO without a writer, a socket and an endless device.
    """
    os.mkfifo(tmp_path / "fifo.yaml")
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(tmp_path / "socket.yaml"))
    (tmp_path / "zero.yaml").symlink_to("/dev/zero")

    assert problems(tmp_path / "fifo.yaml", tmp_path / "socket.yaml", "/dev/full", tmp_path / "zero.yaml") == [
        ("fifo.yaml", "not a regular file"),
        ("socket.yaml", "not a regular file"),
        ("full", "not a regular file"),
        ("zero.yaml", "not a regular file"),
    ]
    assert [message for _, message in problems(tmp_path)] == [
        "not a regular file",
        "not a regular file",
        "the symbolic link points outside the folder",
    ]


def test_a_link_out_of_the_folder_is_a_problem(tmp_path: Path) -> None:
    """
    A folder from outside cannot make the check read other files. Links inside the folder are followed.
    """
    outside = write(tmp_path / "secret.yaml", "secret")
    folder = tmp_path / "in"
    (folder / "side").mkdir(parents=True)
    write(folder / "a.yaml", "a")
    write(folder / "b", "b")
    (folder / "b.yaml").symlink_to("b")
    write(folder / "d", "d")
    (folder / "c.yaml").symlink_to(outside)
    (folder / "side" / "d.yaml").symlink_to("../d")
    (folder / "side" / "e.yaml").symlink_to("../../secret.yaml")

    assert names(folder, recursive=True) == ["a", "b", "d"]
    assert problems(folder, recursive=True) == [
        ("c.yaml", "the symbolic link points outside the folder"),
        ("e.yaml", "the symbolic link points outside the folder"),
    ]


def test_a_link_to_an_outside_folder_is_a_problem(tmp_path: Path) -> None:
    """
    The files of an outside folder are not read, and this is reported. A folder inside is read under its own path.
    """
    (tmp_path / "out").mkdir()
    write(tmp_path / "out" / "secret.yaml", "secret")
    (tmp_path / "in").mkdir()
    write(tmp_path / "in" / "a.yaml", "a")
    (tmp_path / "in" / "side").symlink_to(tmp_path / "out")
    (tmp_path / "in" / "real").mkdir()
    write(tmp_path / "in" / "real" / "b.yaml", "b")
    (tmp_path / "in" / "same").symlink_to("real")

    assert names(tmp_path / "in", recursive=True) == ["a", "b"]
    assert problems(tmp_path / "in", recursive=True) == [("side", "the symbolic link points outside the folder")]
    assert problems(tmp_path / "in") == []


def test_a_link_named_by_the_user_is_followed(tmp_path: Path) -> None:
    """
    A user who names a link to a file or folder means its target.
    """
    (tmp_path / "real").mkdir()
    write(tmp_path / "real" / "a.yaml", "a")
    (tmp_path / "link").symlink_to("real")
    write(tmp_path / "real" / "b", "b")
    (tmp_path / "file").symlink_to("real/b")

    assert names(tmp_path / "link", tmp_path / "file") == ["a", "b"]


def test_a_file_with_several_names_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The file keeps its first name, whether a path, a folder, a pattern or a link names it. The order of other files stays.
    """
    monkeypatch.chdir(tmp_path)
    (tmp_path / "vms").mkdir()
    write(tmp_path / "vms" / "a.yaml", "a")
    write(tmp_path / "vms" / "b.yaml", "b")
    write(tmp_path / "c.yaml", "c")
    (tmp_path / "alias").symlink_to("vms")
    (tmp_path / "link.yaml").symlink_to("vms/b.yaml")
    sources, backwards = Sources(), Sources()

    forth = names(".", "vms/", "vms/../c.yaml", "alias/a.yaml", tmp_path, "*.yaml", recursive=True, sources=sources)
    back = names("alias", "./vms/b.yaml", ".", "c.yaml", "c.yaml", sources=backwards)

    assert (forth, [*sources.texts]) == (["c", "b", "a"], ["c.yaml", "link.yaml", "vms/a.yaml"])
    assert (back, [*backwards.texts]) == (["a", "b", "c"], ["alias/a.yaml", "alias/b.yaml", "c.yaml"])


def test_standard_input_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    It may be named several times.
    """
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(VM.encode())))

    assert names("-", "-") == ["NAME"]


def test_a_file_whose_first_name_is_ignored_is_read_under_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The same holds if the first name is a problem or a broken link. A hard link is a file of its own.
    """
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    write(tmp_path / "z.yaml", "z")
    write(tmp_path / "in" / "x.yaml", "x")
    (tmp_path / "in" / "copy.yaml").hardlink_to(tmp_path / "in" / "x.yaml")
    (tmp_path / "in" / "left.yaml").symlink_to("x.yaml")
    (tmp_path / "in" / "out.yaml").symlink_to("../z.yaml")
    (tmp_path / "in" / "nowhere.yaml").symlink_to("missing.yaml")
    (tmp_path / "in" / "gone.yaml").symlink_to("missing.yaml")
    sources = Sources()
    ignore = IgnorePatterns(lambda _folder: [Pattern("left.yaml", str(tmp_path))])

    inputs = read_all(["in", "in", "z.yaml"], recursive=False, sources=sources, ignore=ignore)

    assert [*sources.texts] == ["in/copy.yaml", "in/x.yaml", "z.yaml"]
    assert str(sources.ignored) == "in/left.yaml"
    sources_of_problems = {problem.source for manifests in inputs for problem in manifests.problems}
    assert sources_of_problems == {"in/gone.yaml", "in/nowhere.yaml", "in/out.yaml"}


def test_a_loop_of_links_is_a_problem(tmp_path: Path) -> None:
    """
    A link to itself, file or folder, does not make the check hang.
    """
    (tmp_path / "a.yaml").symlink_to("b.yaml")
    (tmp_path / "b.yaml").symlink_to("a.yaml")
    write(tmp_path / "c.yaml", "c")
    (tmp_path / "side").symlink_to(".")

    assert names(tmp_path, recursive=True) == ["c"]
    assert [name for name, _ in problems(tmp_path, recursive=True)] == ["a.yaml", "b.yaml"]
    assert [name for name, _ in problems(tmp_path / "a.yaml")] == ["a.yaml"]


def test_a_folder_with_the_name_of_a_manifest_is_a_problem(tmp_path: Path) -> None:
    """
    It is not read as an empty file.
    """
    (tmp_path / "x.yaml").mkdir()
    write(tmp_path / "z.yaml", "z")

    assert names(tmp_path) == ["z"]
    assert problems(tmp_path) == [("x.yaml", "the path is a folder with the name of a manifest")]


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    """
    The limit is 10 MiB. A sparse file of 2 GiB takes no time.
    """
    with (tmp_path / "big.yaml").open("wb") as file:
        file.truncate(2 * 2**30)

    assert problems(tmp_path / "big.yaml") == [("big.yaml", f"the file is larger than {MAX_BYTES // 2**20} MiB")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (VM.encode("utf-16") + b"x", "invalid UTF-16"),
        (VM.encode("utf-16-le"), "the input is a binary file or UTF-16"),
        (b"\x7fELF\x02\x01\x01\x00\x00\x00", "the input is a binary file or UTF-16"),
        (b"\x89PNG\r\n\x1a\n\x00", "the input is a binary file or UTF-16"),
        (b"a: \xc3\x28", "byte 0xc3 is not valid UTF-8"),
    ],
)
def test_bytes_that_are_not_utf_8_text_are_a_problem(tmp_path: Path, content: bytes, message: str) -> None:
    """
    The message names the encoding, or says that the file is binary, and repeats no content.
    """
    (tmp_path / "x.yaml").write_bytes(content)

    assert problems(tmp_path) == [("x.yaml", message)]


def test_other_files_are_read_if_one_has_a_problem(tmp_path: Path) -> None:
    """
    Every readable file is read, and every other file is a problem.
    """
    write(tmp_path / "a.yaml", "a")
    (tmp_path / "b.yaml").write_text("b: [")
    write(tmp_path / "c.yaml", "c")

    assert names(tmp_path) == ["a", "c"]
    assert [name for name, _ in problems(tmp_path)] == ["b.yaml"]


def test_a_file_that_cannot_be_read_is_a_problem() -> None:
    """
    The message has the error of the operating system.
    """
    assert problems("/proc/self/mem") == [("mem", "cannot be read: Input/output error")]
