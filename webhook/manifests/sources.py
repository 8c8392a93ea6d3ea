"""The texts of the files that were read. A text can leave the memory, and is then read again when it is needed."""

from collections.abc import Callable, Collection, Iterator, Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from webhook.manifests.compact_texts import CompactTexts
    from webhook.manifests.ignored import LeftOut, Place
    from webhook.manifests.kustomizations import Kustomization
    from webhook.manifests.origins import Parts


class Texts(MutableMapping[str, bytes]):
    """
    The texts of files by name.

    If a file has changed since ``release``, its text is empty, so that no report shows an excerpt of the wrong lines. ``changed``
    has the names of these files.
    """

    def __init__(self) -> None:
        self.in_memory: dict[str, bytes] = {}
        self.changed: dict[str, None] = {}
        self.released: MutableMapping[str, int] = {}
        """The hashes of the texts that are not in memory. All processes of a check have the same hash function."""
        self.paths: dict[str, str] = {}
        """The paths of released texts, except those that are the name."""
        self._last = ("", b"")

    def __getitem__(self, name: str) -> bytes:
        content = self.in_memory.get(name)
        return content if content is not None else self._read_again(name)

    def __setitem__(self, name: str, content: bytes) -> None:
        self.in_memory[name] = content
        self.released.pop(name, None)

    def __delitem__(self, name: str) -> None:
        if self.released.pop(name, None) is None:
            del self.in_memory[name]

    def __iter__(self) -> Iterator[str]:
        yield from self.in_memory
        yield from self.released

    def __len__(self) -> int:
        return len(self.in_memory) + len(self.released)

    def release(self, name: str, path: str) -> None:
        """Drops a text from memory. Its file is at ``path``."""
        self._add_released(name, hash(self.in_memory.pop(name)), path)

    def add(self, other: "Texts") -> None:
        """Adds other texts."""
        for name, content in other.in_memory.items():
            self[name] = content
        for name in other.released:
            self.in_memory.pop(name, None)
            self.paths.pop(name, None)
        self.released.update(other.released)
        self.paths |= other.paths

    def renamed(self, rename: Callable[[str], str]) -> "Texts":
        """These texts, with the names that ``rename`` returns."""
        renamed = Texts()
        renamed.in_memory = {rename(name): content for name, content in self.in_memory.items()}
        for name, digest in self.released.items():
            renamed._add_released(rename(name), digest, self.paths.get(name, name))
        renamed.changed = self.changed
        return renamed

    def _add_released(self, name: str, digest: int, path: str) -> None:
        self.released[name] = digest
        self.paths.pop(name, None)  # of another file with this name in messages
        if path != name:
            self.paths[name] = path

    def _read_again(self, name: str) -> bytes:
        digest, path = self.released[name], self.paths.get(name, name)
        if self._last[0] != path:
            self._last = path, _unchanged(path, digest)
        content = self._last[1]
        if not content:
            self.changed[name] = None
        return content


def _unchanged(path: str, digest: int) -> bytes:
    """The content of a file, or an empty text if the content does not have this hash."""
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError:
        return b""
    return content if hash(content) == digest else b""


class Sources(msgspec.Struct):
    """The texts of the files that were read, by name, and the files that were left out. Reports show excerpts of these texts."""

    texts: Texts = msgspec.field(default_factory=Texts)
    paths: dict[str, str] = msgspec.field(default_factory=dict)
    """The path of each text, except standard input."""
    stdin_name: str = "-"
    """The name of standard input in messages."""
    encodings: dict[str, str] = msgspec.field(default_factory=dict)
    """The encodings of files that might not be UTF-8. The stored texts of these files are UTF-8."""
    forgotten: "list[str] | CompactTexts | None" = msgspec.field(default_factory=list)
    """Names of files whose text is no longer in memory, or None if the names are not needed."""
    ignored: "LeftOut | None" = None
    """Files that match an ignore pattern."""
    ignored_by_git: "LeftOut | None" = None
    others: dict[str, None] = msgspec.field(default_factory=dict)
    """Names of files in searched folders that are not Kubernetes manifests, in the order of reading."""
    rendered: dict[str, str] = msgspec.field(default_factory=dict)
    """The file in the repository for each rendered text."""
    rendering_notes: list[str] = msgspec.field(default_factory=list)
    """A note about each rendering."""
    parts: "dict[str, Parts]" = msgspec.field(default_factory=dict)
    """The files that a rendered text was made from, by the name of the text."""
    judged_rendered: dict[str, None] = msgspec.field(default_factory=dict)
    """Names of files that are judged only as parts of a rendered text."""
    rendered_folders: set[str] = msgspec.field(default_factory=set)
    """The real paths of rendered charts and kustomizations, with those that they name."""
    kustomizations: "list[Kustomization]" = msgspec.field(default_factory=list)
    """The kustomizations in the searched folders."""
    charts: dict[str, set[str]] = msgspec.field(default_factory=dict)
    """The templates that were left out, by the folder of the chart."""
    patches: dict[str, None] = msgspec.field(default_factory=dict)
    """Names of files with patches of kustomizations. The patches are not judged."""
    settings: set[str] = msgspec.field(default_factory=set)
    """The real paths of files that kustomizations read as settings."""

    @property
    def names(self) -> Collection[str]:
        """The names of all files that were read. Requires that ``forgotten`` is not None."""
        assert self.forgotten is not None  # noqa: S101 - narrows for the type checker
        return {*self.texts, *self.forgotten}

    @property
    def lines(self) -> Mapping[str, Sequence[str]]:
        """The lines of the texts, by file name."""
        return Lines(self.texts)

    def leave_out(self, file: str, place: "Place", *, by_git: bool = False) -> None:
        """Counts a file that matches a pattern. ``place`` is the file or the folder that matches."""
        from webhook.manifests.ignored import LeftOut  # noqa: PLC0415 - most checks ignore no file

        if by_git:
            self.ignored_by_git = self.ignored_by_git or LeftOut()
            self.ignored_by_git.add(file, place)
        else:
            self.ignored = self.ignored or LeftOut()
            self.ignored.add(file, place)

    def expect_many(self) -> None:
        """
        Prepares for a large check: each file takes less memory, and more time. Is called before ``release`` and ``forget``.
        """
        from webhook.manifests.compact_texts import CompactTexts  # noqa: PLC0415 - only for large checks
        from webhook.manifests.digests import Digests  # noqa: PLC0415

        assert not self.texts.released  # noqa: S101 - they would be lost
        assert not self.forgotten  # noqa: S101 - as above
        self.texts.released = Digests()
        if self.forgotten is not None:
            self.forgotten = CompactTexts()

    def apart(self) -> "Sources":
        """
        New sources for some of the files. They are merged with ``add``.

        Only the settings of kustomizations change how a file is read.
        """
        return Sources(settings=self.settings, forgotten=None if self.forgotten is None else [])

    def add(self, other: "Sources") -> None:
        """Adds what was read into other sources."""
        self.texts.add(other.texts)
        self.paths |= other.paths
        self.encodings |= other.encodings
        if self.forgotten is not None and other.forgotten is not None:
            self.forgotten.extend(other.forgotten)
        self.others |= other.others
        self.patches |= other.patches
        for chart, templates in other.charts.items():
            self.charts.setdefault(chart, set()).update(templates)

    def forget(self, name: str) -> None:
        """Drops the text of a file that can be read again."""
        if self.paths.pop(name, None) is not None:
            del self.texts[name]
            if self.forgotten is not None:
                self.forgotten.append(name)

    def release(self, name: str) -> None:
        """Drops the text of a file from memory. It is read again when a report shows an excerpt of it."""
        if name in self.paths and name not in self.encodings:
            self.texts.release(name, self.paths.pop(name))


class Lines(Mapping[str, Sequence[str]]):
    """
    The lines of the texts, by file name. Keeps only the lines of the last file in memory, because there can be 10,000 files.
    """

    def __init__(self, texts: Mapping[str, bytes]) -> None:
        self._texts = texts
        self._last: tuple[str, Sequence[str]] | None = None

    def __getitem__(self, name: str) -> Sequence[str]:
        if self._last is None or self._last[0] != name:
            self._last = name, self._texts[name].decode("utf-8", "replace").splitlines()
        return self._last[1]

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)
