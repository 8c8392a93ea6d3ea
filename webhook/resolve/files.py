"""Manifests from files, folders and standard input. Any file that was not read becomes a problem, never a silent skip."""

import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from webhook.errors import BadInput
from webhook.report.printable import escaped
from webhook.resolve.kubeyaml import MAX_BYTES
from webhook.resolve.manifests import Manifests, read_manifests

SUFFIXES = (".yaml", ".yml", ".json")


@dataclass(slots=True)
class Sources:
    """The text of what was read, by name, for code frames."""

    texts: dict[str, bytes] = field(default_factory=dict)

    @property
    def lines(self) -> dict[str, list[str]]:
        """Lines by file name."""
        return {name: text.decode("utf-8", "replace").splitlines() for name, text in self.texts.items()}


def read_all(paths: Sequence[str], *, recursive: bool, sources: Sources) -> list[Manifests]:
    """Every file that ``paths`` name, in order; folders by name, ``-`` is standard input."""
    return [
        each for path in paths for each in (_stdin(sources) if path == "-" else _path(Path(path), recursive, sources))
    ]


def _stdin(sources: Sources) -> Iterator[Manifests]:
    content = sys.stdin.buffer.read(MAX_BYTES + 1)
    sources.texts["-"] = content
    yield read_manifests(content, "-")


def _path(path: Path, recursive: bool, sources: Sources) -> Iterator[Manifests]:
    if not path.is_dir():
        yield _file(path, sources, None)
        return
    found = False
    for each in sorted(path.rglob("*") if recursive else path.iterdir()):
        if each.suffix.lower() in SUFFIXES:
            found = True
            yield _file(each, sources, path.resolve())
    if not found:
        hint = "" if recursive else " Add -R to look into folders inside it."
        problem = BadInput(
            "the folder holds no manifests", remedy=f"Name a folder with .yaml files.{hint}", source=_named(path)
        )
        yield Manifests((), (problem,))


def _file(path: Path, sources: Sources, root: Path | None) -> Manifests:
    """One regular file of at most 10 MiB; a link may not lead out of the folder that was named."""
    name = _named(path)
    try:
        if root is not None and path.is_symlink() and not path.resolve(strict=True).is_relative_to(root):
            return _refused(name, "the link leads out of the folder", "Name the file itself.")
        about = path.stat()
        if stat.S_ISDIR(about.st_mode):
            return _refused(name, "this is a folder with the name of a manifest", "Rename it.")
        if not stat.S_ISREG(about.st_mode):
            return _refused(name, "this is not a regular file", "Name a file with a manifest.")
        if about.st_size > MAX_BYTES:
            return _refused(name, f"the file is larger than {MAX_BYTES // 2**20} MiB", "Split it.")
        content = path.read_bytes()
    except FileNotFoundError:
        return _refused(name, "there is no such file or folder", "Check the path.")
    except (OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "links in a circle"
        return _refused(name, f"cannot be read: {reason}", "Check the path and its rights.")
    sources.texts[name] = content
    return read_manifests(content, name)


def _named(path: Path) -> str:
    """The path as text that every report and terminal can hold, also where the file system's name is not UTF-8."""
    return escaped(str(path))


def _refused(name: str, message: str, remedy: str) -> Manifests:
    return Manifests((), (BadInput(message, remedy=remedy, source=name),))
