"""The input of ``migratable check``, and its messages about skipped and unreadable files."""

import io
import json
import os
import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.surfaces.manifests import BAD, CLAIM, GOOD, TEMPLATE, UNPROVEN
from tests.surfaces.running import ROOT, migratable
from webhook.surfaces.cli import run_check
from webhook.surfaces.cli.progress import Bar


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.yaml").write_text(GOOD)
    (tmp_path / "chart" / "templates").mkdir(parents=True)
    (tmp_path / "chart" / "templates" / "vm.yaml").write_text(TEMPLATE)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b.yaml").write_text(BAD)
    return tmp_path


def test_a_template_is_an_error_until_it_is_ignored(folder: Path) -> None:
    """
    A file that is not YAML gives status 2 and a hint to render it. ``--ignore`` skips it with a note.
    """
    unread = migratable("check", "-R", ".", cwd=folder)
    ignored = migratable("check", "-R", ".", "--ignore", "templates", cwd=folder)

    assert (unread.status, ignored.status) == (2, 1)
    assert "chart/templates/vm.yaml" in unread.err
    assert "helm template" in unread.err
    assert ignored.err == "note: ignored files and folders: 1 file in chart/templates\n"


@pytest.mark.parametrize(
    ("pattern", "left_out"),
    [
        ("deep", True),
        ("deep/", True),
        ("deep/*", True),
        ("deep/b.yaml", True),
        ("*.yaml", True),
        ("b.yaml", True),
        ("eep", False),
        ("deep/c.yaml", False),
        ("eep/b.yaml", False),
    ],
)
def test_patterns_match_names_folders_and_ends_of_paths(folder: Path, pattern: str, left_out: bool) -> None:
    """
    A pattern without a slash matches any part of a path; one with a slash matches whole parts from some part on.
    """
    ran = migratable("check", "deep/b.yaml", "--ignore", pattern, cwd=folder)

    assert (ran.status, "note: ignored" in ran.err) == ((0, True) if left_out else (1, False))


def test_a_quoted_pattern_is_expanded(folder: Path) -> None:
    """
    ``**`` matches folders, as in configuration files of CI systems.
    """
    ran = migratable("check", "**/b.yaml", cwd=folder)
    nothing = migratable("check", "**/c.yaml", cwd=folder)

    assert (ran.status, nothing.status) == (1, 2)
    assert "deep/b.yaml:3" in ran.out or "deep/b.yaml:1" in ran.out
    assert "no file matches this pattern" in nothing.err


def test_files_of_migratable_are_not_manifests(folder: Path) -> None:
    """
    Configuration, baseline, policy and facts are not judged, unless a path names them exactly.
    """
    (folder / "migratable.yaml").write_text("baseline: known.yaml\npolicy: policy.yaml\nignore: [templates]\n")
    (folder / "known.yaml").write_text("findings: []\n")
    (folder / "policy.yaml").write_text("profile: exact\n")

    walked = migratable("check", "-R", ".", "-o", "github", cwd=folder)
    named = migratable("check", "policy.yaml", cwd=folder)

    assert (walked.status, named.status) == (1, 2)
    assert "policy.yaml" not in walked.err


def test_a_snapshot_that_is_not_used_is_noted() -> None:
    """
    Its objects would make unproven results provable. A snapshot that is named produces no note.
    """
    note = (
        "note: cluster.yaml is a snapshot, and its objects are not used. To use them, write: --snapshot cluster.yaml\n"
    )
    example = ROOT / "examples" / "ci"

    plain = migratable("check", ".", "-o", "concise", cwd=example)
    named = migratable("check", ".", "-o", "concise", "--snapshot", "cluster.yaml", cwd=example)

    assert note in plain.err
    assert note not in named.err
    assert ("unproven" in plain.out, "unproven" in named.out) == (True, False)


def test_references_are_looked_up_across_all_inputs(tmp_path: Path) -> None:
    """
    A claim in another file, or in another document of standard input, decides an unproven result.
    """
    (tmp_path / "vm.yaml").write_text(UNPROVEN)
    (tmp_path / "claim.yaml").write_text(CLAIM)

    alone = migratable("check", "--strict", "vm.yaml", cwd=tmp_path)
    together = migratable("check", "--strict", "vm.yaml", "claim.yaml", cwd=tmp_path)
    piped = migratable("check", "--strict", "-", stdin=f"{UNPROVEN}---\n{CLAIM}")

    assert (alone.status, together.status, piped.status) == (1, 0, 0)


def test_require_match_fails_without_an_object(tmp_path: Path) -> None:
    """
    Otherwise a check of nothing would look like a success.
    """
    (tmp_path / "claim.yaml").write_text(CLAIM)

    assert migratable("check", "claim.yaml", cwd=tmp_path).status == 0
    refused = migratable("check", "--require-match", "claim.yaml", cwd=tmp_path)
    assert (refused.status, "no object was judged" in refused.err) == (2, True)


def test_file_names_that_are_not_utf_8_are_escaped(tmp_path: Path) -> None:
    """
    This holds in every format.
    """
    (tmp_path / "bad\udcff.yaml").write_text(BAD)

    ran = migratable("check", ".", "-o", "json", "-o", "sarif=out.sarif", "-o", "junit=out.xml", cwd=tmp_path)

    assert ran.status == 1
    assert '"file": "bad\\\\udcff.yaml"' in ran.out


def test_the_bar_is_drawn_late_seldom_and_then_cleared() -> None:
    """
    Nothing is drawn in the first second, then at most ten times a second. At the end the line is erased.
    """
    now = 0.0
    stream = io.StringIO()
    drawn = Bar(stream, lambda: now)

    for done in range(1, 201):
        now = done / 100
        drawn(done, 200)
    drawn.clear()

    frames = stream.getvalue().split("\r")[1:]
    assert frames[0] == "reading [############            ] 100 of 200 files\x1b[K"
    assert 9 <= len(frames) - 1 <= 11
    assert frames[-1] == "\x1b[K"


def test_the_bar_moves_while_objects_of_one_file_are_judged() -> None:
    """
    The bar counts objects, because a dump of a cluster is one file. It shows which files are judged again.
    """
    now = 0.0
    stream = io.StringIO()
    drawn = Bar(stream, lambda: now)

    drawn.begin("checking")
    drawn(0, 1)
    for done in range(1, 1_501):
        now = done / 1_000
        drawn.judged()
    drawn.begin("checking again")
    now = 2.0
    drawn(1, 2)

    frames = stream.getvalue().split("\r")[1:]
    assert frames[0] == "checking [                        ] 0 of 1 files, 1,000 objects\x1b[K"
    assert 5 <= len(frames) - 1 <= 6
    assert frames[-1] == "checking again [############            ] 1 of 2 files\x1b[K"


def test_a_quick_run_draws_nothing() -> None:
    """
    A run shorter than one second writes nothing to stderr.
    """
    stream = io.StringIO()
    drawn = Bar(stream, lambda: 0.5)

    drawn(1, 1)
    drawn.clear()

    assert stream.getvalue() == ""


@pytest.mark.parametrize("flags", [(), ("--diff",), ("--fix",)])
def test_reading_and_judging_both_move_the_bar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...]
) -> None:
    """
    Objects, files and repeated files count.
    """
    (tmp_path / "1-vms.yaml").write_text(f"{UNPROVEN}---\n{BAD}")
    (tmp_path / "2-claim.yaml").write_text(CLAIM)
    stream, seconds = io.StringIO(), count(step=2)
    monkeypatch.setattr(run_check, "bar", lambda **_options: Bar(stream, lambda: next(seconds)))

    migratable("check", ".", *flags, cwd=tmp_path)

    frames = [frame.removesuffix("\x1b[K") for frame in stream.getvalue().split("\r")]
    assert f"checking [{'':24}] 0 of 2 files, 1 objects" in frames
    assert f"checking [{'#' * 12:24}] 1 of 2 files, 2 objects" in frames
    assert f"checking again [{'#' * 24}] 1 of 1 files, 2 objects" in frames
    assert (f"reading [{'#' * 24}] 2 of 2 files" in frames) == bool(flags)
    assert frames[-1] == ""


@pytest.mark.parametrize("switches", [(), ("--diff",), ("--write-baseline",), ("--fix",)], ids=" ".join)
def test_unreadable_input_gives_place_field_and_remedy(tmp_path: Path, switches: tuple[str, ...]) -> None:
    """
    Every mode of the check names file, line, column and field, and the remedy.
    """
    (tmp_path / "vm.yaml").write_text(GOOD + "---\n" + GOOD.replace("spec:\n", "spec:\n  evictionStrategy: 3\n"))

    ran = migratable("check", "vm.yaml", *switches, cwd=tmp_path)

    message = next(line for line in ran.err.splitlines() if line.startswith("error: "))
    assert ran.status == 2
    assert message.startswith("error: vm.yaml:")
    assert message.endswith(
        ":3: spec.evictionStrategy: wrong type: expected a string, got an integer. "
        "Use the type that the Kubernetes API defines for this field."
    )


@pytest.mark.parametrize("version", ["kubevirt/v1", "kubervirt.io/v1", "Kubevirt.io/v1", "kubevirt.io", "v1"], ids=str)
def test_a_vm_in_an_unknown_group_is_not_skipped(tmp_path: Path, version: str) -> None:
    """
    Such a VM was once ignored with status 0.
    """
    (tmp_path / "vm.yaml").write_text(BAD.replace("kubevirt.io/v1", version))

    ran = migratable("check", "vm.yaml", cwd=tmp_path)

    assert ran.status == 1
    assert "deny LM801 unknown-kind  vm.yaml:1:1  apiVersion" in ran.out
    assert "fix: Write kubevirt.io/v1." in ran.out


@pytest.mark.parametrize("version", ["vmoperator.vmware.com/v1alpha3", "compute.cnrm.cloud.google.com/v1beta1"])
def test_vms_of_other_operators_are_ignored(tmp_path: Path, version: str) -> None:
    """
    Another group can have a kind with the same name.
    """
    (tmp_path / "vm.yaml").write_text(BAD.replace("kubevirt.io/v1", version))

    ran = migratable("check", "vm.yaml", cwd=tmp_path)

    assert (ran.status, ran.out) == (0, "nothing found in 0 objects\n")


@pytest.mark.parametrize("words", [(".",), ("deep",), ("-R", "deep")], ids=" ".join)
def test_a_folder_without_permission_is_an_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """
    Such a folder was once skipped with -R, and gave a traceback without.
    """
    real = os.scandir

    def refusing(path: str | Path = ".") -> object:
        if Path(path).name == "deep":
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", refusing)

    ran = migratable("check", *words, "--ignore", "templates", cwd=folder)

    assert ran.status == 2
    assert "error: deep: cannot be read: Permission denied. Check the permissions of the folder.\n" in ran.err


@pytest.fixture
def deep_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """
    A folder with a file 1,500 folders down. It is removed step by step, because ``shutil.rmtree`` nests a call for each folder.
    """
    monkeypatch.chdir(tmp_path)
    for _ in range(1_500):
        Path("d").mkdir()
        os.chdir("d")
    Path("vm.yaml").write_text(BAD)
    yield tmp_path
    Path("vm.yaml").unlink()
    for _ in range(1_500):
        os.chdir("..")
        Path("d").rmdir()


@pytest.mark.parametrize("switches", [(), ("--ignore", "other.yaml"), ("--no-gitignore",)])
def test_a_folder_can_be_deeper_than_python_calls_nest(deep_folder: Path, switches: tuple[str, ...]) -> None:
    run = migratable("check", *switches, ".", cwd=deep_folder)

    assert (run.status, "Traceback" in run.err) == (1, False), run.err[-500:]
    assert "2 denied, 1 unproven in 1 object" in run.out


def test_a_pattern_for_a_deeper_folder_is_an_error(deep_folder: Path) -> None:
    run = migratable("check", "**/*.yaml", cwd=deep_folder)

    assert (run.status, run.err) == (2, "error: **/*.yaml: folders are nested too deep for **. Name the folder.\n")


def test_an_ignored_folder_can_be_deeper_than_python_calls_nest(deep_folder: Path) -> None:
    (deep_folder / ".git").mkdir()
    (deep_folder / ".gitignore").write_text("d/\n")

    run = migratable("check", ".", cwd=deep_folder)

    assert (run.status, run.err) == (0, "note: ignored by .gitignore: 1 file in d. --no-gitignore reads these files\n")


@pytest.mark.parametrize(
    "pattern", ["**/*.yaml", ".//**/*.yaml", "{folder}/**/b.yaml", "d*/**", "./**/x/../*.yaml", "**/.h/**/*.yaml"]
)
@pytest.mark.parametrize("links", [{"one": ".", "two": "."}, {"one": ".", "two": "..", "three": "three"}])
def test_two_links_to_folders_above_them_are_an_error_of_a_pattern(
    folder: Path, pattern: str, links: dict[str, str]
) -> None:
    """
    ``**`` follows links, so it would follow each of the two again and again. A link to itself does not hide the others.
    """
    for name, target in links.items():
        (folder / "deep" / name).symlink_to(target)
    pattern = pattern.format(folder=folder)

    ran = migratable("check", pattern, cwd=folder)

    assert ran.status == 2
    assert re.fullmatch(
        rf"error: {re.escape(pattern.removeprefix('.').lstrip('/') if pattern[0] == '.' else pattern)}: "
        r"\*\* would follow symbolic links to folders above them again and again, as in \S*deep/(one|two)(/deep)?\. "
        r"Name the folder\. A folder search does not follow symbolic links to folders\.\n",
        ran.err,
    )
    assert "2 denied" in migratable("check", "deep", cwd=folder).out


@pytest.mark.parametrize("pattern", ["**/*.yaml", "deep/**/*.yaml", ".h/**/*.yaml"])
@pytest.mark.parametrize(
    "links",
    [
        {"deep/loop": "."},
        {"a": "deep", "deep/other": "../other", "other/deep": "../deep"},
        {"deep/loop": ".", "a1": "deep", "a2": "deep", "a3": "deep", "a4": "deep"},
        {".h/.cache/one": ".", ".h/.cache/two": "."},
        {"deep/self": "self", "deep/nowhere": "nowhere"},
    ],
)
def test_other_links_do_not_change_what_a_pattern_matches(folder: Path, pattern: str, links: dict[str, str]) -> None:
    """
    One link to a folder above it is followed a limited number of times, and hidden folders are not searched.
    """
    for name in ("other", ".h/.cache"):
        (folder / name).mkdir(parents=True)
    (folder / ".h" / "bad.yaml").write_text(BAD)
    before = json.loads(migratable("check", pattern, "-o", "json", cwd=folder).out)
    for name, target in links.items():
        (folder / name).symlink_to(target)

    ran = migratable("check", pattern, "-o", "json", cwd=folder)

    assert before["objects"]
    assert json.loads(ran.out)["summary"] == before["summary"]


def test_a_file_that_is_named_twice_is_judged_once(folder: Path) -> None:
    """
    A file that is also in a named folder gives each finding once, and counts once.
    """
    once = migratable("check", "-R", "a.yaml", "deep", cwd=folder)
    often = migratable("check", "-R", "a.yaml", "deep", "./deep/b.yaml", "deep/", "a.yaml", cwd=folder)

    assert once.status == 1
    assert (often.status, often.out, often.err) == (once.status, once.out, once.err)
