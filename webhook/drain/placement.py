"""
Where the target pods of a drain fit together, whatever the order of the migrations.

KubeVirt does not define the order, and kube-scheduler chooses among the nodes that fit. So this module tries several orders and
choices, and looks for one in which a pod is left over.
"""

from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum
from itertools import islice
from typing import Final

import msgspec

from webhook.drain.orders import (
    Candidate,
    Key,
    Move,
    Trial,
    certain_keys,
    hostile_trials,
    most_room,
    reaches_far,
    usual_trials,
)
from webhook.scheduling.pod_fit import PodFit
from webhook.scheduling.state import ClusterState
from webhook.scheduling.verdicts import grouped


class Fit(StrEnum):
    """Whether a target pod finds a node."""

    ALWAYS = "always"
    """In every order and choice that was tried."""
    SOMETIMES = "sometimes"
    NEVER = "never"
    UNKNOWN = "unknown"


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
_TAKEN: Final = "the other VMIs of the drain take the room on the nodes that fit"
_LATER: Final = "the pod fits only when other VMIs of the drain have moved"


def place_all(
    state: ClusterState, moves: Sequence[Move], drained: Collection[str] = (), *, names_all: bool = True
) -> dict[Key, Placed]:
    """
    Where each target pod fits if all of them are placed. The state is as before afterwards.

    The reasons do not count the ``drained`` nodes. With ``names_all`` False, the search for nodes ends when their number
    suffices, which is faster in a large cluster.
    """
    far = any(reaches_far(move.target) for move in moves)
    candidates: list[Candidate] = []
    alone: list[Candidate] = []
    ordered = () if names_all or not moves else sorted(state.nodes, key=most_room(state))
    for move in moves:
        fit = state.fit(move.target)
        nodes = fit.fitting() if names_all else _some(fit, ordered, len(moves) + 1)
        (candidates if nodes else alone).append(Candidate(move, fit, nodes))
    candidates.sort(key=lambda one: (len(one.nodes), one.key))
    search = _Search(state, candidates, alone, far=far, searches_all=far and names_all)
    results: dict[Key, Placed] = {}
    for one in candidates:
        fits_all = one.key not in search.failed
        is_partial = not names_all and len(one.nodes) > len(moves)
        results[one.key] = Placed(
            Fit.ALWAYS if fits_all else Fit.SOMETIMES,
            tuple(sorted(one.nodes)),
            is_partial,
            () if fits_all else (_TAKEN,),
            search.chosen.get(one.key, ""),
        )
    for one in alone:
        if one.key in search.fitted:
            results[one.key] = Placed(Fit.SOMETIMES, reasons=(_LATER,), node=search.chosen.get(one.key, ""))
        else:
            results[one.key] = _without_node(one.fit, drained)
    return results


class _Search:
    """The results of all orders that are tried."""

    def __init__(
        self,
        state: ClusterState,
        candidates: Sequence[Candidate],
        alone: Sequence[Candidate],
        *,
        far: bool,
        searches_all: bool,
    ) -> None:
        self._state, self._candidates, self._alone, self._searches_all = state, candidates, alone, searches_all
        self.failed: set[Key] = set()
        """The candidates that are left over in an order."""
        self.fitted: set[Key] = set()
        """The pods that get a node in an order."""
        self.chosen = self._try(Trial(candidates, most_room(state)))
        """The node of each pod in the first order."""
        self._certain = frozenset() if far else certain_keys(candidates)
        if len(candidates) > _SIMULATED or (len(self._certain) == len(candidates) and not (alone and far)):
            return
        for trial in usual_trials(state, candidates):
            self._try(trial)
        for trial in hostile_trials(state, candidates, alone, self._is_settled):
            self._try(trial)

    def _is_settled(self, one: Candidate) -> bool:
        return one.key in self._certain or one.key in self.failed

    def _try(self, trial: Trial) -> dict[Key, str]:
        """
        The node of each pod that fits, in one order. Pods that do not fit are tried again when others have moved.

        A pod that is placed can make more nodes fit only if it reaches far. A search that ends early leaves these for later.
        """
        placed: dict[Key, str] = {}
        with self._state.tentatively():
            pending = [
                one
                for one in trial.order
                if not self._place(one, None if self._searches_all else one.nodes, trial, placed)
            ]
            known = {one.key for one in trial.order}
            pending += [one for one in self._alone if one.key not in known]
            while pending and len(left := self._still_pending(pending, trial, placed)) < len(pending):
                pending = left
        self.failed.update(one.key for one in self._candidates if one.key not in placed)
        self.fitted |= placed.keys()
        return placed

    def _still_pending(self, pending: Sequence[Candidate], trial: Trial, placed: dict[Key, str]) -> list[Candidate]:
        return [one for one in pending if not self._place(one, None, trial, placed)]

    def _place(self, one: Candidate, nodes: Sequence[str] | None, trial: Trial, placed: dict[Key, str]) -> bool:
        """Places a pod on the preferred one of these nodes, or of all nodes, if one fits."""
        node = min(one.fit.among(self._state.nodes if nodes is None else nodes), key=trial.preference, default="")
        if not node:
            return False
        placed[one.key] = node
        self._state.place(one.move.target, node)
        source = one.move.source
        if source is not None and not trial.keeps_sources and self._state.node_of(source) is not None:
            self._state.remove(source)
        return True


def _some(fit: PodFit, ordered: Iterable[str], enough: int) -> list[str]:
    """The first nodes that fit, in this order."""
    return list(islice(fit.among(ordered), enough))


def why_not(fit: PodFit, drained: Collection[str]) -> tuple[str, ...]:
    """The reasons that exclude the nodes that are not drained, each with their number, in kube-scheduler's words."""
    if fit.rejection is not None:
        return (fit.rejection.reason,)
    others = [verdict for name, verdict in fit.verdicts().items() if name not in drained]
    if not others:
        return ("there is no other node",)
    return tuple(f"{count} {reason}" for reason, count in grouped(others).items())


def _without_node(fit: PodFit, drained: Collection[str]) -> Placed:
    unknowns = fit.unknowns() if fit.rejection is None else {}
    if unknowns:
        return Placed(Fit.UNKNOWN, reasons=tuple(unknowns))
    return Placed(Fit.NEVER, reasons=why_not(fit, drained))
