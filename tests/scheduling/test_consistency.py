"""A state after changes gives the same answers as a state that is built from the resulting pods."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.scheduling.building import (
    HOST,
    ZONE,
    claim,
    csi_node,
    disk,
    expression,
    namespace,
    node,
    pod,
    state,
    term,
    terms,
    verdicts,
    volume,
)
from webhook.objects.pods import Pod
from webhook.scheduling.state import ClusterState

NAMES = [f"p{at}" for at in range(8)]
CLAIMS = ["c0", "c1", "c2"]
labels = st.dictionaries(st.sampled_from("ab"), st.sampled_from("xy"), max_size=2)
selectors = st.one_of(
    labels.map(lambda given: {"labelSelector": {"matchLabels": given}}),
    st.sampled_from("ab").map(lambda key: {"labelSelector": {"matchExpressions": [expression(key, "Exists")]}}),
    st.sampled_from("ab").map(lambda key: {"labelSelector": {"matchExpressions": [expression(key, "In", "x", "z")]}}),
)
keys = st.sampled_from([HOST, ZONE])
reach = st.sampled_from([{}, {"namespaces": ["other"]}, {"namespaceSelector": {"matchLabels": {"team": "t"}}}])
affinity_terms = st.builds(lambda selector, key, where: term(None, key, **selector, **where), selectors, keys, reach)


@st.composite
def affinities(draw: st.DrawFn) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for kind in draw(st.sets(st.sampled_from(["podAffinity", "podAntiAffinity"]))):
        found |= terms(kind, *draw(st.lists(affinity_terms, max_size=2)))
    return found


@st.composite
def pods(draw: st.DrawFn, name: str, on: str = "") -> Pod:
    spread = [
        {
            "maxSkew": draw(st.integers(1, 2)),
            "topologyKey": draw(keys),
            "whenUnsatisfiable": "DoNotSchedule",
            **selector,
        }
        for selector in draw(st.lists(selectors, max_size=1))
    ]
    ports = [{"name": "d", "ports": [{"hostPort": 80}]}] if draw(st.booleans()) else []
    return pod(
        name,
        on,
        draw(labels),
        namespace=draw(st.sampled_from(["default", "other"])),
        affinity=draw(affinities()),
        topologySpreadConstraints=spread,
        containers=[{"name": "c", "resources": {"requests": {"cpu": draw(st.integers(0, 2))}}}, *ports],
        volumes=disk(draw(st.sampled_from(CLAIMS))) if draw(st.booleans()) else [],
        meta={"deletionTimestamp": "2026-01-01T00:00:00Z"} if draw(st.integers(0, 9)) == 0 else {},
    )


def world(placed: list[Pod]) -> ClusterState:
    nodes = [node("n1", {ZONE: "a"}), node("n2", {ZONE: "a"}), node("n3", {ZONE: "b"}), node("n4")]
    claims = [claim(name, f"pv-{name}") for name in CLAIMS]
    claims += [claim(name, f"pv-{name}", accessModes=["ReadWriteOncePod"]) for name in CLAIMS[:1]]
    volumes = [volume(f"pv-{name}", csi={"driver": "csi", "volumeHandle": name}) for name in CLAIMS]
    known = [namespace("default"), namespace("other", team="t")]
    limits = [csi_node(name, csi=1) for name in ("n1", "n3")]
    return state(nodes, placed, claims=claims, volumes=volumes, namespaces=known, csi_nodes=limits)


def pod_on(moved: Pod, where: str) -> Pod:
    return replace(moved, spec=replace(moved.spec, node_name=where))


@settings(deadline=None)
@given(st.data())
def test_changes_keep_all_totals_and_indexes(data: st.DataObject) -> None:
    every = {name: data.draw(pods(name)) for name in NAMES}
    wanted = data.draw(pods("wanted"))
    start = {name: data.draw(st.sampled_from(["n1", "n2", "n3", "n4"])) for name in NAMES[:4]}
    cluster = world([pod_on(every[name], where) for name, where in start.items()])
    before = verdicts(cluster, wanted)
    places = dict(start)
    for name in data.draw(st.lists(st.sampled_from(NAMES), max_size=8)):
        if name in places:
            cluster.remove(every[name])
            del places[name]
        else:
            places[name] = data.draw(st.sampled_from(["n1", "n2", "n3", "n4"]))
            cluster.place(every[name], places[name])
        fresh = world([pod_on(every[name], where) for name, where in places.items()])
        assert verdicts(cluster, wanted) == verdicts(fresh, wanted)
    cluster.undo(0)
    assert verdicts(cluster, wanted) == before
