"""The texts of files. The text of a file can leave the memory, and is then read again when it is needed."""

from collections.abc import Callable, Iterator, MutableMapping

import msgspec


class Texts(MutableMapping[str, bytes]):
    """
    The texts of files by name.

    If a file has changed since ``release``, its text is empty, so that no report shows an excerpt of the wrong lines. ``changed``
    has the names of these files.
    """

    def __init__(self) -> None:
        self.in_memory: dict[str, bytes] = {}
        self.changed: dict[str, None] = {}
        self.released: dict[str, _Released] = {}
        """The files of the texts that are not in memory."""
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
        content = self.in_memory.pop(name)
        self.released[name] = _Released(path, hash(content))

    def add(self, other: "Texts") -> None:
        """Adds other texts."""
        for name, content in other.in_memory.items():
            self[name] = content
        for name, released in other.released.items():
            self.in_memory.pop(name, None)
            self.released[name] = released

    def renamed(self, rename: Callable[[str], str]) -> "Texts":
        """These texts, with the names that ``rename`` returns."""
        renamed = Texts()
        renamed.in_memory = {rename(name): content for name, content in self.in_memory.items()}
        renamed.released = {rename(name): released for name, released in self.released.items()}
        renamed.changed = self.changed
        return renamed

    def _read_again(self, name: str) -> bytes:
        released = self.released[name]
        if self._last[0] != released.path:
            self._last = released.path, released.read()
        content = self._last[1]
        if not content:
            self.changed[name] = None
        return content


class Names:
    """Names of files, which take little more memory than their characters. A name can be added several times."""

    def __init__(self) -> None:
        self.joined = bytearray()

    def __iter__(self) -> Iterator[str]:
        return iter(self.joined.decode("utf-8", "surrogatepass").split("\0")[:-1])

    def add(self, name: str) -> None:
        """Adds a name, which contains no NUL."""
        self.joined += f"{name}\0".encode("utf-8", "surrogatepass")

    def update(self, other: "Names") -> None:
        """Adds the names of ``other``."""
        self.joined += other.joined


class _Released(msgspec.Struct, frozen=True, gc=False):
    """The path of a file, and the hash of its content, which is the same in all processes of a check."""

    path: str
    digest: int

    def read(self) -> bytes:
        """The content of the file, or an empty text if it has changed."""
        try:
            with open(self.path, "rb") as file:
                content = file.read()
        except OSError:
            return b""
        return content if hash(content) == self.digest else b""
