"""The survivors that change no behaviour (``equivalent.toml``): each is named, and the reason is written down."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from tools.mutants.mutating import Mutant

FILE: Final = Path(__file__).parent / "equivalent.toml"


class Explained(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Mutants of one source line, and why no test can tell them from the original."""

    place: str
    """The function or class; empty at the top of the module."""
    line: str
    """The source line, without indentation, up to 80 characters."""
    changes: list[str]
    why: str


def explained() -> dict[tuple[str, str, str, str], str]:
    """The reason for each explained survivor, by the mutant's identity."""
    by_module = msgspec.convert(tomllib.loads(FILE.read_text()), dict[str, list[Explained]])
    return {
        (module, entry.place, entry.line, change): entry.why
        for module, listed in by_module.items()
        for entry in listed
        for change in entry.changes
    }


def unexplained(survivors: Iterable[Mutant]) -> list[Mutant]:
    """The survivors for which no reason is written down."""
    reasons = explained()
    return [mutant for mutant in survivors if mutant.identity not in reasons]


def outdated(survivors: Iterable[Mutant], modules: Iterable[str]) -> list[tuple[str, str, str, str]]:
    """Explanations for mutants of these modules that do not exist any more, or that a test kills."""
    surviving, judged = {mutant.identity for mutant in survivors}, set(modules)
    return [identity for identity in explained() if identity[0] in judged and identity not in surviving]
