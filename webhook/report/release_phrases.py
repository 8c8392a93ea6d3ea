"""Releases as part of a sentence."""

from collections.abc import Iterator

from webhook.kubevirt.releases import SUPPORTED, TABLE, Releases


def when(releases: Releases, among: Releases = SUPPORTED) -> str:
    """
    ``releases`` as part of a sentence: ``up to 1.4``, ``from 1.5 on``, ``in 1.3``, ``from 1.6 to 1.8``.

    The sentence is read by somebody who knows the releases of ``among`` and no others.
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
