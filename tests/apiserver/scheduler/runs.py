"""Runs of generated pairs, with the figures and the differences."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.scheduler.agreement import Pair, compare, state_of
from tests.apiserver.scheduler.clusters import Bench, Manifest
from tests.apiserver.scheduler.generated.worlds import world
from tests.apiserver.scheduler.process import WITHOUT_DEFAULTS, Prober


class Difference(msgspec.Struct, frozen=True):
    """A pair on which the answers differ, with the objects as they were written, for a replay."""

    seed: int
    cluster: list[Manifest]
    pod: Manifest
    pair: Pair


class Figures(msgspec.Struct):
    """The numbers of pairs by agreement. A pair is one pod on all nodes of one cluster."""

    pairs: int = 0
    decided: int = 0
    """The pairs without an unknown."""
    nodes: int = 0
    """The nodes of all pairs."""
    kinds: Counter[str] = msgspec.field(default_factory=Counter)
    """The nodes by kind of outcome."""
    plugins: Counter[str] = msgspec.field(default_factory=Counter)
    """The nodes by the plugin that kube-scheduler names."""
    unknowns: Counter[str] = msgspec.field(default_factory=Counter)
    """The pairs by the reason of an unknown."""
    equal_fits: int = 0
    """The pairs with equal sets of fitting nodes."""
    equal: int = 0
    """The pairs with equal sets and equal reasons."""
    refused: int = 0
    """The objects and pods that the API server refused."""
    errors: int = 0
    """The pairs that kube-scheduler could not decide."""

    def add(self, pair: Pair) -> None:
        """Counts a pair."""
        kinds = {outcome.kind for outcome in pair.outcomes}
        self.pairs += 1
        self.errors += bool(pair.error)
        self.nodes += len(pair.outcomes)
        self.decided += not pair.is_unknown
        self.equal += not kinds - {"equal"}
        self.equal_fits += not kinds - {"equal", "other reasons"}
        self.kinds.update(outcome.kind for outcome in pair.outcomes)
        self.plugins.update({reason.partition(":")[0] for outcome in pair.outcomes for reason in outcome.scheduler})
        self.plugins["fits"] += any(not outcome.scheduler for outcome in pair.outcomes)
        self.unknowns.update({outcome.rehearsal[0] for outcome in pair.outcomes if outcome.kind == "unknown"})

    def text(self) -> str:
        """The figures, one a line."""
        lines = [
            f"pairs {self.pairs} on {self.nodes} nodes; errors of kube-scheduler {self.errors}; refused objects {self.refused}",
            f"equal sets of fitting nodes {self.equal_fits} of {self.decided}",
            f"equal reasons {self.equal} of {self.decided}",
            *(f"{kind}: {self.kinds[kind]} nodes" for kind in ("wrong fit", "missed fit", "other reasons")),
            f"unknown {self.pairs - self.decided} pairs ({(self.pairs - self.decided) / max(self.pairs, 1):.2%})",
            *(f"  {count} {reason}" for reason, count in self.unknowns.most_common()),
            "pairs by plugin of kube-scheduler:",
            *(f"  {count} {plugin}" for plugin, count in self.plugins.most_common()),
        ]
        return "\n".join(lines)


@contextmanager
def bench() -> Iterator[Bench]:
    """A new control plane with a kube-scheduler."""
    with ControlPlane(apiserver_flags=[WITHOUT_DEFAULTS]) as control_plane, Prober(control_plane) as prober:
        opened = Bench(control_plane, prober)
        try:
            yield opened
        finally:
            opened.close()


def run(opened: Bench, wanted: int, seed: int, figures: Figures, probes: int = 40) -> Iterator[Difference]:
    """Compares at least WANTED pairs, from the cluster of SEED on, and yields the differences that a second try confirms."""
    while figures.pairs < wanted:
        made = world(seed, probes)
        cluster = opened.load(made.objects)
        state = state_of(cluster.stored)
        probed = opened.probe(made.probes)
        figures.refused += len(cluster.refused) + len(made.probes) - len(probed)
        written = {pod["metadata"]["name"]: pod for pod in made.probes}
        for pair in compare(state, probed):
            pod = written[pair.pod["metadata"]["name"]]
            confirmed = compare(state, opened.again([pod]))[0] if pair.differences else pair
            figures.add(confirmed)
            if confirmed.differences:
                yield Difference(seed, made.objects, pod, confirmed)
        seed += 1


def smaller(opened: Bench, difference: Difference) -> Difference:
    """The difference with as few objects of its cluster as it takes."""
    kinds = {outcome.kind for outcome in difference.pair.differences}
    least = difference
    for item in [item for item in difference.cluster if item["kind"] != "Namespace"]:
        fewer = [other for other in least.cluster if other is not item]
        if any(other["kind"] == "Node" for other in fewer):
            pairs = compared(opened, fewer, difference.pod)
            if pairs and kinds & {outcome.kind for outcome in pairs[0].differences}:
                least = Difference(difference.seed, fewer, difference.pod, pairs[0])
    return least


def compared(opened: Bench, cluster: list[Manifest], pod: Manifest) -> list[Pair]:
    """The pair of one pod and one cluster, or nothing if the API server refuses the pod."""
    loaded = opened.load(cluster)
    return compare(state_of(loaded.stored), opened.probe([pod]))
