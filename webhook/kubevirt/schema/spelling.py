"""What a misspelt word was probably meant to be."""

from collections.abc import Iterable


def close_matches(word: str, words: Iterable[str], cutoff: float = 0.6) -> list[str]:
    """The closest of ``words``, or nothing where none is close: ``difflib`` tells, which only mistakes need."""
    from difflib import get_close_matches  # noqa: PLC0415 - its import takes a millisecond of every run

    return get_close_matches(word, list(words), n=1, cutoff=cutoff)
