"""Suggestions for misspelt words."""

from collections.abc import Iterable


def close_matches(word: str, words: Iterable[str], cutoff: float = 0.6) -> list[str]:
    """
    A list with the element of ``words`` that is most similar to ``word``, or an empty list if no element is similar enough.
    """
    from difflib import get_close_matches  # noqa: PLC0415 - its import takes a millisecond, and only mistakes need it

    return get_close_matches(word, list(words), n=1, cutoff=cutoff)
