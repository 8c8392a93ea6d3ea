"""The files of a large check. A file of a searched folder takes little more memory than its path."""

from array import array
from collections.abc import Iterable, Sequence
from typing import overload

from webhook.manifests.compact_texts import CompactTexts
from webhook.manifests.objects import Manifests
from webhook.manifests.search import File, is_plain


class Entries(Sequence[File | Manifests]):
    """
    Files, and manifests that are not in files, in order.

    Each access to a file makes a new ``File``. So processes that share this memory do not write to it, as they would by counting
    references to 100,000 objects.
    """

    def __init__(self, entries: Iterable[File | Manifests]) -> None:
        self._others: dict[int, File | Manifests] = {}
        """The entries that are not plain files of a searched folder."""
        self._folders: dict[tuple[str, int], int] = {}
        """The number of each searched folder, by its real path, and by the length of its name in the paths of its files."""
        self._numbered: list[tuple[str, str, int]] = []
        """The real path of each searched folder, the start of the real paths of its files, and the length of its name."""
        self._folder_of = array("i")
        """The number of the folder of each plain file, and -1 for other entries."""
        self._paths = CompactTexts()
        """The path of each plain file, and an empty text for other entries."""
        for entry in entries:
            self.append(entry)

    def append(self, entry: File | Manifests) -> None:
        """Adds an entry."""
        folder = _folder(entry)
        number = -1
        if folder is None:
            self._others[len(self)] = entry
        else:
            number = self._folders.setdefault(folder, len(self._folders))
            if number == len(self._numbered):
                self._numbered.append((folder[0], _parent(folder[0]), folder[1]))
        self._folder_of.append(number)
        self._paths.append(entry.path if isinstance(entry, File) and folder is not None else "")

    def __len__(self) -> int:
        return len(self._paths)

    @overload
    def __getitem__(self, number: int) -> File | Manifests: ...
    @overload
    def __getitem__(self, number: slice) -> list[File | Manifests]: ...
    def __getitem__(self, number: int | slice) -> File | Manifests | list[File | Manifests]:
        if isinstance(number, slice):
            return [self[each] for each in range(len(self))[number]]
        if not 0 <= number < len(self):
            raise IndexError(number)
        if number in self._others:
            return self._others[number]
        path = self._paths[number]
        root, parent, start = self._numbered[self._folder_of[number]]
        return File(path, root, is_named=False, real=parent + path[start:])


def _folder(entry: File | Manifests) -> tuple[str, int] | None:
    """The searched folder of a plain file: its real path, and the length of its name in the path of the file."""
    if not isinstance(entry, File) or not is_plain(entry):
        return None
    parent = _parent(entry.root)
    start = len(entry.path) - len(entry.real) + len(parent)
    return (entry.root, start) if start >= 0 and entry.real == parent + entry.path[start:] else None


def _parent(root: str) -> str:
    """A folder with a slash at the end."""
    return root.rstrip("/") + "/"
