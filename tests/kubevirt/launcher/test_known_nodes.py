"""Facts about nodes are computed once, and are never those of other nodes or of another pod."""

from hypothesis import given
from hypothesis import strategies as st

from webhook.kubevirt.launcher.known_nodes import NodeGroup, closed_nodes, group_of, place_of, running_vms
from webhook.objects.meta import ObjectMeta
from webhook.objects.nad import Node, NodeSpec
from webhook.objects.scheduling import NodeRequirement, NodeTerm, Taint, Toleration
from webhook.scheduling.fit import Pod, fits, is_selected

LABELS = st.dictionaries(st.sampled_from(("zone", "disk")), st.sampled_from(("a", "b")))
TAINTS = st.lists(st.sampled_from(("gpu", "infra")).map(lambda key: Taint(key=key, effect="NoSchedule")), max_size=1)
REQUIREMENTS = st.builds(
    NodeRequirement,
    key=st.sampled_from(("zone", "disk")),
    operator=st.sampled_from(("In", "In", "NotIn", "Exists", "DoesNotExist")),
    values=st.lists(st.sampled_from(("a", "b")), max_size=2),
)
FIELDS = st.builds(NodeRequirement, key=st.just("metadata.name"), operator=st.just("In"), values=st.just(["n1"]))
TERMS = st.none() | st.lists(
    st.builds(
        NodeTerm, match_expressions=st.lists(REQUIREMENTS, max_size=2), match_fields=st.lists(FIELDS, max_size=1)
    ),
    max_size=2,
).map(tuple)
TOLERATIONS = st.lists(st.sampled_from(("gpu", "infra")).map(lambda key: Toleration(key=key, operator="Exists")))
PODS = st.builds(Pod, node_selector=LABELS, terms=TERMS, tolerations=TOLERATIONS.map(tuple))


def node(name: str, labels: dict[str, str], taints: list[Taint] | None = None, *, cordoned: bool = False) -> Node:
    return Node(metadata=ObjectMeta(name=name, labels=labels), spec=NodeSpec(taints=taints, unschedulable=cordoned))


@given(st.lists(st.tuples(LABELS, TAINTS), max_size=4), st.lists(PODS, min_size=1, max_size=5))
def test_a_group_finds_the_nodes_that_fit_each_pod(
    drawn: list[tuple[dict[str, str], list[Taint]]], pods: list[Pod]
) -> None:
    """
    The kept result for a pod equals a new comparison with each node, whichever pods came before.
    """
    nodes = tuple(node(f"n{number}", *each) for number, each in enumerate(drawn))
    group = NodeGroup(nodes)

    for pod in (*pods, *pods):
        assert group.fitting(pod).nodes == tuple(one for one in nodes if fits(pod, place_of(one)))
        assert [*group.selected(pod)] == [one for one in nodes if is_selected(pod, place_of(one))]


def test_a_changed_node_is_seen_at_once() -> None:
    """
    Facts about nodes are kept until a world returns other nodes.
    """
    before = (node("n1", {"kubevirt.io/schedulable": "true"}), node("n2", {"kubevirt.io/schedulable": "true"}))
    after = (before[0], node("n2", {"kubevirt.io/schedulable": "true"}, cordoned=True))

    seen = [(closed_nodes(nodes), running_vms(nodes)) for nodes in (before, after, before)]

    assert seen == [({}, before), ({"n2": "cordoned"}, after), ({}, before)]
    assert group_of(before) is group_of(before)
    assert group_of(after).nodes is after
