"""The texts of the files that were read (webhook.manifests.sources)."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.manifests.sources import Sources

FILES = "abcdef"
Treatment: TypeAlias = tuple[bool, Callable[[Sources, str], object]]
TREATMENTS: st.SearchStrategy[Treatment] = st.tuples(
    st.booleans(), st.sampled_from([lambda _sources, _name: None, Sources.release, Sources.forget])
)
"""Whether the file's name is its path, and what happens to its text: kept, released or forgotten."""
FILES_READ = st.dictionaries(st.sampled_from(FILES), TREATMENTS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sources")
    for file in FILES:
        (folder / file).write_text(f"text: {file}")
    return folder


def read(folder: Path, file: str, treatment: Treatment, sources: Sources) -> None:
    """Reads a file into sources."""
    path, (is_path, leave) = str(folder / file), treatment
    name = path if is_path else file
    sources.texts[name], sources.paths[name] = (folder / file).read_bytes(), path
    leave(sources, name)


@given(FILES_READ, st.integers(1, 3), st.booleans())
def test_merged_parts_are_the_same_as_one_whole(
    folder: Path, files: Mapping[str, Treatment], count: int, is_large: bool
) -> None:
    """
    Each part has some of the files. Names, paths and texts are the same, also of texts that are no longer in memory.
    """
    whole, merged = Sources(), Sources()
    if is_large:
        merged.expect_many()
    parts = [merged.apart() for _ in range(count)]

    for number, (file, treatment) in enumerate(files.items()):
        read(folder, file, treatment, whole)
        read(folder, file, treatment, parts[number % count])
    for part in parts:
        merged.add(part)

    assert merged.names == whole.names
    assert merged.paths == whole.paths
    assert dict(merged.texts) == dict(whole.texts)
    assert not merged.texts.changed


@given(FILES_READ)
def test_a_renamed_text_is_read_from_the_same_file(folder: Path, files: Mapping[str, Treatment]) -> None:
    """
    A new name, such as a name relative to the root of the repository, is not the path of the file.
    """
    sources = Sources()
    for file, treatment in files.items():
        read(folder, file, treatment, sources)

    renamed = sources.texts.renamed("renamed/{}".format)

    assert dict(renamed) == {f"renamed/{name}": content for name, content in sources.texts.items()}
    assert all(renamed.values())
    assert not renamed.changed
