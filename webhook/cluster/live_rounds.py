"""
The order of live reads that confirm a denial. This module does no I/O.

The first rounds contain the objects that the denial probably depends on. So a few reads confirm the denial, however many other
objects the request names.
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
"""
Reads of the first round.

Most VMs name fewer objects, so one round reads all of them, and the response lists all causes and warnings.
"""
GROWTH = 4
"""The factor by which the number of reads grows from one round to the next. A judgement follows each round."""
FEW = 8
"""
Kinds with at most this many names, such as instancetypes, are read first, because other lookups can depend on their objects.
"""
_QUOTED = re.compile(r"'([^']+)'")


def rounds(answers: Mapping[Question, Found[Any]], causes: Iterable[str]) -> Iterator[tuple[Question, ...]]:
    """
    Yields the lookups by name in rounds, in the order of their reads. Yields at least one round, which can be empty.

    ``causes`` are the texts of the denial. PVCs that the causes name come first, then existing PVCs, then missing PVCs.
    """
    named = [lookup for lookup in answers if lookup.name is not None]
    names_of = Counter(lookup.kind for lookup in named)
    mentioned = {name for cause in causes for name in _QUOTED.findall(cause)}

    def rank(question: Question) -> int:
        if question.name in mentioned:
            return 0
        if names_of[question.kind] <= FEW:
            return 1
        return 2 if isinstance(answers[question], Kubernetes) else 3

    waiting = iter(sorted(named, key=rank))
    size = FIRST
    batch = tuple(islice(waiting, size))
    yield batch
    while batch:
        size *= GROWTH
        batch = tuple(islice(waiting, size))
        if batch:
            yield batch
