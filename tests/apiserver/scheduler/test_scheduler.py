"""Node fit, beside a real kube-scheduler. `python -m tests.apiserver.scheduler` compares more pairs."""

from collections.abc import Callable, Iterator
from copy import deepcopy

import pytest

from tests.apiserver.scheduler.agreement import compare, state_of
from tests.apiserver.scheduler.clusters import Bench
from tests.apiserver.scheduler.generated.worlds import world
from tests.apiserver.scheduler.runs import Figures, bench, run
from tests.conftest import FIGURE

pytestmark = [pytest.mark.apiserver, pytest.mark.scheduler]
PAIRS = 400
MOST_UNKNOWN = 0.02


@pytest.fixture(scope="module")
def opened() -> Iterator[Bench]:
    with bench() as running:
        yield running


def test_generated_pods_fit_the_same_nodes_for_the_same_reasons(
    opened: Bench, record_property: Callable[[str, object], None]
) -> None:
    """
    Every feature of pods and nodes takes part. A pod for which the fit is unknown does not fit.
    """
    figures = Figures()

    differences = list(run(opened, PAIRS, 0, figures))

    share = 1 - figures.decided / figures.pairs
    record_property(FIGURE, f"kube-scheduler: {figures.equal} of {figures.decided} pairs equal, {share:.1%} unknown")
    assert [(item.seed, item.pair.pod["metadata"]["name"], item.pair.differences) for item in differences] == []
    assert (figures.pairs >= PAIRS, figures.equal, share < MOST_UNKNOWN) == (True, figures.decided, True)
    assert set(figures.plugins) >= {
        "fits",
        "NodeUnschedulable",
        "TaintToleration",
        "NodeAffinity",
        "NodePorts",
        "NodeResourcesFit",
        "VolumeRestrictions",
        "NodeVolumeLimits",
        "VolumeBinding",
        "VolumeZone",
        "PodTopologySpread",
        "InterPodAffinity",
    }


def test_another_cluster_gives_other_answers(opened: Bench) -> None:
    """
    The comparison finds a difference: node fit reads the cluster without taints, and finds nodes that kube-scheduler refuses.
    """
    made = world(1)
    cluster = opened.load(made.objects)
    probed = opened.probe(made.probes)
    others = deepcopy(cluster.stored)
    for item in others:
        item["spec"].pop("taints", None)

    same, different = (compare(state_of(stored), probed) for stored in (cluster.stored, others))

    wrong = [outcome for pair in different for outcome in pair.differences]
    assert [outcome for pair in same for outcome in pair.differences] == []
    assert {outcome.kind for outcome in wrong} >= {"wrong fit"}
    assert all("TaintToleration: node(s) had untolerated taint(s)" in outcome.scheduler for outcome in wrong)
