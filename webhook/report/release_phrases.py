"""Describes sets of releases, either as part of a sentence or as a list of names."""

from collections.abc import Iterator
from functools import lru_cache

from webhook.kubevirt.releases import SUPPORTED, TABLE, Releases, behaviours


def releases_phrase(releases: Releases, among: Releases = SUPPORTED) -> str:
    """
    ``releases`` as part of a sentence: ``up to 1.4``, ``from 1.5 on``, ``in 1.3``, ``from 1.6 to 1.8``.

    The phrase ignores releases that are not in ``among``, so that it is short.
    """
    held = releases & among
    if held == among:
        return "in every release"
    known = [index for index in range(len(TABLE)) if among >> index & 1]
    words = []
    for first, last in _runs(held):
        start, end = TABLE[first].release, TABLE[last].release
        if last == known[-1]:
            words.append(f"from {start} on")
        elif first == last:
            words.append(f"in {start}")
        else:
            words.append(f"up to {end}" if first == known[0] else f"from {start} to {end}")
    return " and ".join(words) or "in no release"


@lru_cache(256)
def release_names(releases: Releases) -> tuple[str, ...]:
    """The names of ``releases``, oldest first: ``("1.3", "1.4")``."""
    return tuple(str(behaviour.release) for behaviour in behaviours(releases))


@lru_cache(256)
def releases_named(names: tuple[str, ...]) -> Releases:
    """The releases with these names. Other names are ignored."""
    return sum(1 << index for index, behaviour in enumerate(TABLE) if str(behaviour.release) in names)


def _runs(releases: Releases) -> Iterator[tuple[int, int]]:
    """First and last index of each unbroken run."""
    index = 0
    while releases >> index:
        if releases >> index & 1:
            first = index
            while releases >> index + 1 & 1:
                index += 1
            yield first, index
        index += 1
