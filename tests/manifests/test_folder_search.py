"""The order and the extent of a search in folders."""

from pathlib import Path

from webhook.manifests.folders import FolderSearch


def test_a_folder_is_listed_when_the_search_reaches_it(tmp_path: Path) -> None:
    """
    So the memory of a search does not grow with the number of folders.
    """
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "vm.yaml").touch()
    entries = FolderSearch(str(tmp_path), recursive=True, leave_out=None).entries()

    first = next(entries)
    (tmp_path / "c" / "new.yaml").touch()

    assert first == (str(tmp_path / "a"), False)
    assert [Path(path).relative_to(tmp_path).as_posix() for path, _ in entries] == [
        *("a/vm.yaml", "b", "b/vm.yaml", "c", "c/new.yaml", "c/vm.yaml"),
    ]


def test_entries_are_sorted_by_the_parts_of_their_paths(tmp_path: Path) -> None:
    """
    A folder comes before names that continue its own, such as `a-b` and `a.yaml`, and so do all files below the folder.
    """
    for name in ("a-b", "a", "a/b"):
        (tmp_path / name).mkdir()
    for name in ("a.yaml", "a/b.yaml", "a/b/z.yaml", "a-b/y.yaml"):
        (tmp_path / name).touch()

    found = [path for path, _ in FolderSearch(str(tmp_path), recursive=True, leave_out=None).entries()]

    assert [Path(path).relative_to(tmp_path).as_posix() for path in found] == [
        *("a", "a/b", "a/b/z.yaml", "a/b.yaml", "a-b", "a-b/y.yaml", "a.yaml"),
    ]
