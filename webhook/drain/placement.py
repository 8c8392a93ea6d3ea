"""
Where the target pods of a drain fit together, whatever the order of the migrations.

KubeVirt does not define the order, and kube-scheduler chooses among the nodes that fit. So this module tries several orders and
choices, and looks for one in which a pod is left over.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import islice
from typing import Final

import msgspec

from webhook.objects.pods import Pod
from webhook.scheduling.pod_fit import PodFit
from webhook.scheduling.pod_requests import pod_requests
from webhook.scheduling.state import ClusterState
from webhook.scheduling.verdicts import grouped

Key = tuple[str, str]


class Fit(StrEnum):
    """Whether a target pod finds a node."""

    ALWAYS = "always"
    """In every order and choice that was tried."""
    SOMETIMES = "sometimes"
    NEVER = "never"
    UNKNOWN = "unknown"


class Move(msgspec.Struct, frozen=True):
    """A migration: the target pod to place, and the source pod, which is removed after the migration."""

    key: Key
    target: Pod
    source: Pod | None = None


class Placed(msgspec.Struct, frozen=True):
    """The result for one target pod."""

    fit: Fit
    nodes: tuple[str, ...] = ()
    """The nodes that fit before any other pod is placed. Not all of them if ``is_partial``."""
    is_partial: bool = False
    reasons: tuple[str, ...] = ()
    """The reasons that exclude nodes, each with the number of nodes, or the missing facts."""
    node: str = ""
    """The node of the first order."""


_SIMULATED: Final = 64
"""The maximum number of target pods for which orders are compared. More pods are placed in one order only."""
_HOST: Final = "kubernetes.io/hostname"
_TAKEN: Final = "the other VMIs of the drain take the room on the nodes that fit"


class Candidate(msgspec.Struct, frozen=True):
    """A target pod that fits at least one node if it is placed alone."""

    move: Move
    fit: PodFit
    nodes: Sequence[str]

    @property
    def key(self) -> Key:
        """The name of the VMI."""
        return self.move.key


def place_all(
    state: ClusterState, moves: Sequence[Move], drained: Collection[str] = (), *, names_all: bool = True
) -> dict[Key, Placed]:
    """
    Where each target pod fits if all of them are placed. The state is as before afterwards.

    The reasons do not count the ``drained`` nodes. With ``names_all`` False, the search for nodes ends when their number
    suffices, which is faster in a large cluster.
    """
    results: dict[Key, Placed] = {}
    candidates: list[Candidate] = []
    alone: list[Candidate] = []
    ordered = () if names_all or not moves else sorted(state.nodes, key=most_room(state))
    for move in moves:
        fit = state.fit(move.target)
        nodes = fit.fitting() if names_all else _some(fit, ordered, len(moves) + 1)
        (candidates if nodes else alone).append(Candidate(move, fit, nodes))
    candidates.sort(key=lambda one: (len(one.nodes), one.key))
    chosen = _place(state, candidates, alone, most_room(state))
    certain = {one.key for one in candidates if _is_certain(one, candidates)}
    failed, fitted = {one.key for one in candidates} - chosen.keys(), set(chosen)
    if len(certain) < len(candidates) <= _SIMULATED:
        for trial in _trials(state, candidates, certain):
            placed = _place(state, trial.order, alone, trial.preference, keeps_sources=trial.keeps_sources)
            fitted |= placed.keys()
            failed |= {one.key for one in trial.order} - placed.keys()
    for one in candidates:
        fits_all = one.key in certain or one.key not in failed
        fit_of = Fit.ALWAYS if fits_all else Fit.SOMETIMES if one.key in fitted else Fit.NEVER
        reasons = () if fits_all else (_TAKEN,)
        is_partial = not names_all and len(one.nodes) > len(moves)
        results[one.key] = Placed(fit_of, tuple(sorted(one.nodes)), is_partial, reasons, chosen.get(one.key, ""))
    for one in alone:
        results[one.key] = _without_node(one.fit, drained, later=chosen.get(one.key, ""))
    return results


Preference = Callable[[str], tuple[int, str]]
"""The sort key of nodes. The first node that fits is chosen."""


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


def _trials(state: ClusterState, candidates: Sequence[Candidate], certain: Collection[Key]) -> Iterator[Trial]:
    """
    Several orders and choices, and for each uncertain pod an order in which all others come first and take its nodes.
    """
    by_size = sorted(candidates, key=lambda one: (_size(one.move.target), one.key))
    orders = (candidates, candidates[::-1], by_size, by_size[::-1])
    for number, order in enumerate(orders):
        for preference in (most_room(state), least_room(state)):
            yield Trial(order, preference, keeps_sources=number % 2 == 0)
    for last in candidates:
        if last.key not in certain:
            wanted = frozenset(last.nodes)
            others = [one for one in by_size[::-1] if one is not last]
            yield Trial([*others, last], _spoiling(state, wanted), keeps_sources=True)


def _spoiling(state: ClusterState, wanted: frozenset[str]) -> Preference:
    least = least_room(state)
    return lambda name: (least(name)[0] - (2**62 if name in wanted else 0), name)


def _place(
    state: ClusterState,
    order: Sequence[Candidate],
    alone: Sequence[Candidate],
    preference: Preference,
    *,
    keeps_sources: bool = False,
) -> dict[Key, str]:
    """The node of each pod that fits, in one order. Pods that do not fit are tried again when the others have moved."""
    placed: dict[Key, str] = {}
    with state.tentatively():
        for one in order:
            _place_one(state, one, one.nodes, preference, placed, keeps_source=keeps_sources)
        for one in (*order, *alone):
            if one.key not in placed:
                _place_one(state, one, tuple(state.nodes), preference, placed, keeps_source=keeps_sources)
    return placed


def _place_one(
    state: ClusterState,
    one: Candidate,
    nodes: Sequence[str],
    preference: Preference,
    placed: dict[Key, str],
    *,
    keeps_source: bool,
) -> None:
    node = one.fit.first(sorted(nodes, key=preference))
    if node is None:
        return
    placed[one.key] = node
    state.place(one.move.target, node)
    source = one.move.source
    if source is not None and not keeps_source and state.node_of(source) is not None:
        state.remove(source)


def _is_certain(one: Candidate, all_of_them: Sequence[Candidate]) -> bool:
    """
    Whether the pod fits in every order: each other pod can make at most one node unfit, and there are more nodes than that.

    This does not hold if a pod excludes more nodes than its own, by a spread constraint or by affinity to a zone.
    """
    return len(one.nodes) >= len(all_of_them) and not any(_reaches_far(other.move.target) for other in all_of_them)


def _reaches_far(pod: Pod) -> bool:
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


def _size(pod: Pod) -> int:
    return pod_requests(pod).get("memory", 0)


def _some(fit: PodFit, ordered: Iterable[str], enough: int) -> list[str]:
    """The first nodes that fit, in this order."""
    return list(islice((name for name in ordered if fit.first((name,))), enough))


def why_not(fit: PodFit, drained: Collection[str]) -> tuple[str, ...]:
    """The reasons that exclude the nodes that are not drained, each with their number, in kube-scheduler's words."""
    if fit.rejection is not None:
        return (fit.rejection.reason,)
    others = [verdict for name, verdict in fit.verdicts().items() if name not in drained]
    if not others:
        return ("there is no other node",)
    return tuple(f"{count} {reason}" for reason, count in grouped(others).items())


def _without_node(fit: PodFit, drained: Collection[str], later: str) -> Placed:
    if later:
        return Placed(Fit.SOMETIMES, reasons=("the pod fits only when other VMIs of the drain have moved",), node=later)
    unknowns = fit.unknowns() if fit.rejection is None else {}
    if unknowns:
        return Placed(Fit.UNKNOWN, reasons=tuple(unknowns))
    return Placed(Fit.NEVER, reasons=why_not(fit, drained))
