"""Each file is read once, whatever names it has."""

import os
import tempfile
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.manifests import files
from webhook.manifests.entries import Entries
from webhook.manifests.files import Inputs
from webhook.manifests.search import File, is_within
from webhook.manifests.sources import Sources

NAMES = ("a", "b", "c.yaml", "d.yaml")


class Tree(NamedTuple):
    """Files, links and their targets, and the paths that a user names."""

    files: list[str]
    links: list[tuple[str, str]]
    paths: list[str]


PATHS = st.lists(st.sampled_from(NAMES[:2]), max_size=2).map("/".join)
FILES = st.tuples(PATHS, st.sampled_from(NAMES[2:])).map("/".join).map(lambda path: path.lstrip("/"))
TREES = st.builds(
    Tree,
    st.lists(FILES, min_size=1, max_size=5, unique=True),
    st.lists(st.tuples(FILES, st.one_of(FILES, PATHS)), max_size=3),
    st.lists(
        st.one_of(st.just("."), PATHS.map(lambda path: path or "."), FILES, st.just("*.yaml")), min_size=1, max_size=3
    ),
)


def _make(tree: Tree) -> None:
    for file in tree.files:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Path(file).touch()
    for link, target in tree.links:
        Path(link).parent.mkdir(parents=True, exist_ok=True)
        if not os.path.lexists(link):
            Path(link).symlink_to(Path.cwd() / target)


def _real(path: str) -> str:
    try:
        return os.path.realpath(path, strict=True)
    except OSError:
        return ""


def _readable(inputs: Inputs) -> list[str]:
    """The paths of the files that exist, without links out of a searched folder, which are problems."""
    found = [entry for entry in inputs._entries if isinstance(entry, File) and _real(entry.path)]
    return [entry.path for entry in found if not entry.is_link or is_within(entry.real, entry.root)]


@given(TREES, st.integers(0, 3))
def test_a_file_is_read_once_under_its_first_name(tree: Tree, most: int) -> None:
    """
    No file is lost. A check of more than ``most`` files stores them in another way.
    """
    with tempfile.TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setattr(files, "MANY_FILES", most)
        _make(tree)
        together = Inputs(tree.paths, recursive=True, sources=Sources())
        apart = [Inputs([path], recursive=True, sources=Sources()) for path in tree.paths]
        first: dict[str, str] = {}
        for path in chain.from_iterable(map(_readable, apart)):
            first.setdefault(_real(path), path)

        assert _readable(together) == list(first.values())
        assert first.keys() >= {
            _real(str(path))
            for folder in filter(os.path.isdir, tree.paths)
            for path in Path(folder).rglob("*.yaml")
            if path.is_file() and not path.is_symlink()
        }
        assert isinstance(together._entries, Entries) == (len(together._entries) > most)
