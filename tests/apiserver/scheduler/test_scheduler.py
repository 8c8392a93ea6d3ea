"""Node fit, beside a real kube-scheduler. `python -m tests.apiserver.scheduler` compares more pairs."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.apiserver.scheduler.__main__ import replay, text
from tests.apiserver.scheduler.agreement import compare, state_of
from tests.apiserver.scheduler.clusters import Bench
from tests.apiserver.scheduler.generated.worlds import world
from tests.apiserver.scheduler.runs import Difference, Figures, bench, compared, run, smaller
from tests.conftest import FIGURE

pytestmark = [pytest.mark.apiserver, pytest.mark.scheduler]
PAIRS = 480
PROBES = 16
"""On each cluster. More clusters find more than more pods do."""
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

    differences = list(run(opened, PAIRS, 0, figures, PROBES))

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


def test_a_difference_is_printed_with_the_objects_that_it_takes(opened: Bench, tmp_path: Path) -> None:
    """
    The printed line can be replayed. Here the fault is in node fit: it is given a pod that tolerates everything.
    """
    made = world(1)
    pod = next(pod for pod in made.probes if not pod["spec"].get("tolerations"))
    tolerant = {**pod, "spec": {**pod["spec"], "tolerations": [{"operator": "Exists"}]}}
    cluster = opened.load(made.objects)
    state = state_of(cluster.stored)
    probed = opened.probe([pod])

    pair = compare(state, [replace(probed[0], pod={**probed[0].pod, "spec": tolerant["spec"]})])[0]
    file = tmp_path / "differences"
    file.write_text(f"pairs 1\n{text(Difference(1, made.objects, pod, pair))}\n")
    figures = Figures()

    assert pair.differences
    assert list(replay(opened, file, figures)) == []
    assert (figures.pairs, figures.equal) == (1, 1)


def test_a_smaller_cluster_shows_the_same_difference(opened: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    One node is enough if node fit overlooks taints.
    """
    node = {"apiVersion": "v1", "kind": "Node", "status": {"allocatable": {"pods": "9"}}}
    tainted = {**node, "metadata": {"name": "n1"}, "spec": {"taints": [{"key": "a", "effect": "NoSchedule"}]}}
    others = [{**node, "metadata": {"name": f"other{index}"}} for index in range(3)]
    pod = world(1).probes[0]
    pod = {**pod, "spec": {"containers": pod["spec"]["containers"][:1]}}
    pod["spec"]["containers"][0].pop("resources", None)
    monkeypatch.setattr("webhook.scheduling.filters.shapes.untolerated", lambda *_: None)

    found = compared(opened, [*others, tainted], pod)
    least = smaller(opened, Difference(1, [*others, tainted], pod, found[0]))

    assert [outcome.kind for outcome in found[0].differences] == ["wrong fit"]
    assert least.cluster == [tainted]
