"""The paths that shell patterns match."""

import tempfile
from glob import glob
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.manifests.patterns import matching

NAMES = st.sampled_from(["a", "b", ".c", "[d]", "e.yaml"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
PARTS = st.sampled_from(["**", "*", "a", "[[]d]", "*.yaml", "?"])
PATTERNS = st.lists(PARTS, min_size=1, max_size=4).map("/".join)


@given(st.lists(PATHS, max_size=6), PATTERNS, st.sampled_from(["", "/", "./"]))
def test_a_pattern_matches_the_same_files_as_glob(paths: list[str], pattern: str, start: str) -> None:
    with tempfile.TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        for path in paths:
            if not any(parent.is_file() for parent in Path(path).parents) and not Path(path).exists():
                Path(path).parent.mkdir(parents=True, exist_ok=True)
                Path(path).touch()
        whole = f"{place}/{pattern}" if start == "/" else f"{start}{pattern}"

        found = [path for path in matching(whole) if Path(path).is_file()]

        expected = glob(whole, recursive=True)  # noqa: PTH207 - what users know
        assert found == sorted({path for path in expected if Path(path).is_file()})


def test_links_that_form_loops_are_not_followed(tmp_path: Path) -> None:
    """
    With glob, this test does not end: the number of paths doubles with each of 40 folders.
    """
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "vm.yaml").touch()
        (tmp_path / name / "up").symlink_to("..")
        (tmp_path / name / "here").symlink_to(".")

    assert matching(f"{tmp_path}/**/*.yaml") == [f"{tmp_path}/a/vm.yaml", f"{tmp_path}/b/vm.yaml"]


def test_a_link_to_another_folder_is_followed(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "vm.yaml").touch()
    (tmp_path / "clusters").mkdir()
    (tmp_path / "clusters" / "a").symlink_to("../shared")

    assert matching(f"{tmp_path}/clusters/**/*.yaml") == [f"{tmp_path}/clusters/a/vm.yaml"]
