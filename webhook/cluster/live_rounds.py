"""
The order of live reads that confirm a denial. This file does no I/O.

The first rounds hold what the denial most likely rests on, so that it is confirmed after a few reads, however many other
names the object has.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from webhook.cluster.lookups import Question
from webhook.facts.unknown import Found
from webhook.objects.meta import Kubernetes

FIRST = 16
"""Reads of the first round: all that an ordinary VM names, so that its answer tells all causes and warnings at once."""
GROWTH = 4
"""Each round is so many times larger than the one before, because a judgement follows each."""
FEW = 8
"""A kind with no more names than this, such as an instancetype, is read in the first rounds: others may depend on it."""
_QUOTED = re.compile(r"'([^']+)'")


def rounds(answers: Mapping[Question, Found[Any]], causes: Iterable[str]) -> Iterator[tuple[Question, ...]]:
    """
    The questions by name in the order in which they are read; at least one round, which may be empty.

    ``causes`` are the texts of the denial: a claim that one of them names comes before a claim that exists, and that before
    one that does not.
    """
    named = [each for each in answers if each.name is not None]
    names_of = Counter(each.kind for each in named)
    mentioned = {name for cause in causes for name in _QUOTED.findall(cause)}

    def rank(question: Question) -> int:
        if question.name in mentioned:
            return 0
        if names_of[question.kind] <= FEW:
            return 1
        return 2 if isinstance(answers[question], Kubernetes) else 3

    waiting = iter(sorted(named, key=rank))
    size = FIRST
    some = tuple(islice(waiting, size))
    yield some
    while some:
        size *= GROWTH
        some = tuple(islice(waiting, size))
        if some:
            yield some
