"""The files of a large check."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.manifests import files
from webhook.manifests.entries import Entries
from webhook.manifests.files import Inputs
from webhook.manifests.objects import Manifests
from webhook.manifests.search import File
from webhook.manifests.sources import Sources

NAMES = st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=5)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)


@st.composite
def entries(draw: st.DrawFn) -> File | Manifests:
    """Files as a search finds them, and others."""
    root = draw(st.sampled_from(["/", "/real", "/real/a", ""]))
    named = draw(st.sampled_from(["", "named/", "/real/", "../"]))
    path = draw(PATHS)
    real = draw(st.sampled_from([f"{root.rstrip('/')}/{path}", "", "/elsewhere.yaml", path]))
    file = File(f"{named}{path}", root, is_named=draw(st.booleans()), is_link=draw(st.booleans()), real=real)
    plain = File(f"{named}{path}", root, is_named=False, real=real)
    drawn: File | Manifests = draw(st.one_of(st.just(file), st.just(plain), st.just(Manifests((), ()))))
    return drawn


@given(st.lists(entries()))
def test_entries_are_the_same_as_in_a_list(listed: list[File | Manifests]) -> None:
    """
    Also paths that are not UTF-8, and the real path, which is not stored.
    """
    stored = Entries(listed)

    assert list(stored) == listed
    assert stored[1:] == listed[1:]
    assert len(stored) == len(listed)


def test_the_files_of_a_folder_are_stored_by_their_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    An object for each file would take several times as much.
    """
    for number in range(3):
        (tmp_path / f"{number}.yaml").touch()
    monkeypatch.setattr(files, "MANY_FILES", 2)

    inputs = Inputs([str(tmp_path)], recursive=True, sources=Sources())

    assert isinstance(inputs._entries, Entries)
    assert inputs._entries._others == {}
