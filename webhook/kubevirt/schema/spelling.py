"""Suggestions for misspelt words."""

from collections.abc import Iterable


def close_matches(word: str, words: Iterable[str], cutoff: float = 0.6) -> list[str]:
    """
    A list with the element of ``words`` that is most similar to ``word``, or an empty list if no element is similar enough.
    """
    from difflib import get_close_matches  # noqa: PLC0415 - its import takes a millisecond, and only mistakes need it

    return get_close_matches(word, list(words), n=1, cutoff=cutoff)


_MOST_EDITS = 2
_SHORTEST = 6


def near_miss(word: str, words: Iterable[str]) -> str:
    """
    The element of ``words`` that differs from ``word`` only in upper and lower case, by a plural ending, or by at most two
    letters. The result is empty if there is no such element.

    The similarity in ``close_matches`` is too loose for names that other projects also choose, such as kinds.
    """
    by_case = {known.lower(): known for known in words}
    lower = word.lower()
    plurals = {plural: known for name, known in by_case.items() for plural in (f"{name}s", f"{name[:-1]}ies")}
    if same := by_case.get(lower) or plurals.get(lower):
        return same
    close = close_matches(lower, by_case, cutoff=0.7) if len(lower) >= _SHORTEST else []
    return by_case[close[0]] if close and edits(lower, close[0]) <= _MOST_EDITS else ""


def edits(one: str, other: str) -> int:
    """The number of letters to add, remove or replace to change one word into the other (Levenshtein)."""
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one, 1):
        previous, row = row, [at]
        for to, wanted in enumerate(other, 1):
            row.append(min(previous[to] + 1, row[to - 1] + 1, previous[to - 1] + (letter != wanted)))
    return row[-1]
