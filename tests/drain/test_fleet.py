"""Objects that were not provided are unknown, and never absent."""

from webhook.facts.fleet import Fleet
from webhook.facts.unknown import Unknown
from webhook.objects.nad import Node
from webhook.objects.pods import Pod


def test_a_class_that_was_not_provided_is_unknown() -> None:
    """
    A fleet without pods does not say that its nodes are empty.
    """
    node = Node(api_version="v1", kind="Node")
    fleet = Fleet({Node: (node,)}, frozenset((Node,)))

    pods = fleet.every(Pod)
    assert isinstance(pods, Unknown)
    assert pods.why == "no Pod was provided"
    assert fleet.every(Node) == (node,)


def test_a_class_that_could_not_be_read_has_its_reason() -> None:
    """
    The reason names the missing right.
    """
    pods = Fleet(unread={Pod: "reading pods is forbidden"}).every(Pod)

    assert isinstance(pods, Unknown)
    assert pods.why == "reading pods is forbidden"
