"""Suggestions for misspelt words."""

from collections.abc import Iterable


def close_matches(word: str, words: Iterable[str], cutoff: float = 0.6) -> list[str]:
    """Those of ``words`` that are most similar to ``word``; empty if none is similar enough."""
    from difflib import get_close_matches  # noqa: PLC0415 - its import takes a millisecond, and only mistakes need it

    return get_close_matches(word, list(words), n=1, cutoff=cutoff)
