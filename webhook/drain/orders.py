"""
The orders of migrations, and the choices among nodes, in which a target pod may be left over.

KubeVirt does not define the order, and kube-scheduler chooses among the nodes that fit. The number of orders is finite here but
too large to try them all, so this module tries a few usual ones, and then orders that take the nodes of one pod after the other.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final
from zlib import crc32

import msgspec

from webhook.objects.pods import Pod
from webhook.scheduling.pod_fit import PodFit
from webhook.scheduling.pod_requests import pod_requests
from webhook.scheduling.state import ClusterState

Key = tuple[str, str]

Preference = Callable[[str], tuple[int, str]]
"""The sort key of nodes. The first node that fits is chosen."""

_HOST: Final = "kubernetes.io/hostname"
_LAST: Final = 2**62
"""More than the memory of a node."""
MOST_ROUNDS: Final = 24
"""The maximum number of orders that take the nodes of one pod."""
MOST_CHECKS: Final = 400_000
"""The number of comparisons of a pod with a node after which no further order begins. It limits the time in a large cluster."""


class Move(msgspec.Struct, frozen=True):
    """A migration: the target pod to place, and the source pod, which is removed after the migration."""

    key: Key
    target: Pod
    source: Pod | None = None


class Candidate(msgspec.Struct, frozen=True):
    """A target pod, and the nodes that it fits if it is placed alone."""

    move: Move
    fit: PodFit
    nodes: Sequence[str]

    @property
    def key(self) -> Key:
        """The name of the VMI."""
        return self.move.key


class Trial(msgspec.Struct, frozen=True):
    """An order of the migrations, and the choice among nodes that fit."""

    order: Sequence[Candidate]
    preference: Preference
    keeps_sources: bool = False


def most_room(state: ClusterState) -> Preference:
    """Prefers the node with the most free memory, as kube-scheduler's default scores tend to do."""
    nodes = state.nodes
    return lambda name: (-nodes[name].free.get("memory", 0), name)


def least_room(state: ClusterState) -> Preference:
    """Prefers the node with the least free memory."""
    nodes = state.nodes
    return lambda name: (nodes[name].free.get("memory", 0), name)


def usual_trials(state: ClusterState, candidates: Sequence[Candidate]) -> Iterator[Trial]:
    """A few orders and choices that do not depend on any one pod."""
    by_size = sorted(candidates, key=lambda one: (_size(one.move.target), one.key))
    for number, order in enumerate((candidates, candidates[::-1], by_size, by_size[::-1])):
        for preference in (most_room(state), least_room(state)):
            yield Trial(order, preference, keeps_sources=number % 2 == 0)


def hostile_trials(
    state: ClusterState,
    candidates: Sequence[Candidate],
    alone: Sequence[Candidate],
    settled: Callable[[Candidate], bool],
) -> Iterator[Trial]:
    """
    Orders in which all other pods come before one of the candidates, and take its nodes as long as it fits them.

    There are no more such orders for a candidate that is ``settled``. The ``alone`` pods fit no node until others have moved;
    kube-scheduler tries them again after each migration, so they can come before a candidate.
    """
    everyone = (*candidates, *alone)
    checks = 0
    for number in range(MOST_ROUNDS):
        for last in candidates:
            if settled(last):
                continue
            checks += len(everyone) * len(state.nodes)
            if checks > MOST_CHECKS:
                return
            others = _shuffled([one for one in everyone if one is not last], number)
            if number == 0:
                others.sort(key=lambda one: -_size(one.move.target))
            ranks = (least_room(state), most_room(state), _random(number))
            preference = _against(last, ranks[number % 3])
            yield Trial([*others, last], preference, keeps_sources=number % 2 == 0)


def certain_keys(candidates: Sequence[Candidate]) -> frozenset[Key]:
    """
    The pods that fit in every order: each other pod can make at most one node unfit, and there are more nodes than that.

    This does not hold if one of them ``reaches_far``.
    """
    return frozenset(one.key for one in candidates if len(one.nodes) >= len(candidates))


def reaches_far(pod: Pod) -> bool:
    """Whether the place of a pod can decide about other nodes than its own, for itself or for another pod."""
    spec = pod.spec
    if spec.topology_spread_constraints:
        return True
    affinity = spec.affinity
    if affinity is None:
        return False
    if affinity.pod_affinity is not None and affinity.pod_affinity.required:
        return True
    terms = affinity.pod_anti_affinity.required if affinity.pod_anti_affinity is not None else None
    return any(term.topology_key != _HOST for term in terms or ())


def _against(last: Candidate, rank: Preference) -> Preference:
    wanted: Collection[str] = frozenset(last.nodes)

    def preference(name: str) -> tuple[int, str]:
        takes_room = name in wanted and last.fit.first((name,)) is not None
        value, text = rank(name)
        return (value if takes_room else value + _LAST, text)

    return preference


def _shuffled(candidates: Sequence[Candidate], number: int) -> list[Candidate]:
    """The candidates in an order that does not depend on the order of the input."""
    return sorted(candidates, key=lambda one: (_scattered(number, *one.key), one.key))


def _random(number: int) -> Preference:
    return lambda name: (_scattered(number, name), name)


def _scattered(*parts: object) -> int:
    return crc32("/".join(map(str, parts)).encode())


def _size(pod: Pod) -> int:
    return pod_requests(pod).get("memory", 0)
