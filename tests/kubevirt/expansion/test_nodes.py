"""Facts about the CPUs of nodes: the host model and the TSC frequency."""

import msgspec
import pytest

from tests.kubevirt.building import Manifest, world
from webhook.facts.unknown import Unknown
from webhook.kubevirt.expansion.nodes import host_model_known, tsc_frequency
from webhook.objects.kubevirt import Configuration
from webhook.objects.nad import Node
from webhook.rules.example import node

SCHEDULABLE = {"kubevirt.io/schedulable": "true"}
HOST_MODEL = {"host-model-cpu.node.kubevirt.io/Skylake-Server": "true"}
BUILT_IN = Configuration()


def tsc(frequency: str) -> dict[str, str]:
    return SCHEDULABLE | {"cpu-timer.node.kubevirt.io/tsc-frequency": frequency}


def nodes(*labels: dict[str, str]) -> list[Manifest]:
    return [node(f"node{index}", **item) for index, item in enumerate(labels)]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ((SCHEDULABLE | HOST_MODEL, SCHEDULABLE | HOST_MODEL), True),
        ((SCHEDULABLE, SCHEDULABLE), False),
        ((SCHEDULABLE | HOST_MODEL, {}), True),
        ((SCHEDULABLE, HOST_MODEL), False),
        ((SCHEDULABLE | HOST_MODEL, SCHEDULABLE), None),
        (({"kubevirt.io/schedulable": "false"} | HOST_MODEL,), None),
        ((), None),
    ],
)
def test_the_host_model_is_known_where_all_schedulable_nodes_name_theirs(
    labels: tuple[dict[str, str], ...], expected: bool | None
) -> None:
    """
    No node with a host model gives this reason; some nodes with one is unproven, because any node may run the VM.
    """
    is_known = host_model_known(world(*nodes(*labels)))

    assert isinstance(is_known, Unknown) if expected is None else is_known is expected


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ((), 0),
        ((SCHEDULABLE,), 0),
        ((tsc("2100000000"),), 2100000000),
        ((tsc("2100000000"), tsc("1900000000"), tsc("2400000000")), 1900000000),
        ((tsc("fast"), tsc("2100000000"), tsc("0"), tsc("-5"), tsc("")), 2100000000),
        ((tsc("2100000000") | {"kubevirt.io/schedulable": "false"},), 0),
        ((tsc("+2100000000"), tsc("2.1e9")), 2100000000),
        ((tsc("9223372036854775807"),), 9223372036854775807),
        ((tsc("9223372036854775808"),), 0),
        ((tsc("٣"),), 0),
    ],
)
def test_the_lowest_frequency_of_schedulable_nodes_counts(labels: tuple[dict[str, str], ...], expected: int) -> None:
    """
    A label that is no 64-bit integer above zero is as none.
    """
    assert tsc_frequency(world(*nodes(*labels)), BUILT_IN, "amd64") == expected


@pytest.mark.parametrize(("minimum", "expected"), [(5, 5), (0, 0), (-1, 0)])
def test_the_clusters_own_minimum_has_precedence_over_its_nodes(minimum: int, expected: int) -> None:
    """
    A value of zero or less is an error, and no VMI gets a hint.
    """
    configuration = msgspec.convert({"developerConfiguration": {"minimumClusterTSCFrequency": minimum}}, Configuration)

    assert tsc_frequency(world(*nodes(tsc("7"))), configuration, "amd64") == expected


@pytest.mark.parametrize("architecture", ["arm64", "s390x", ""])
def test_only_amd64_gets_hints(architecture: str) -> None:
    """
    On other architectures the frequency is never known.
    """
    assert tsc_frequency(world(*nodes(tsc("7"))), BUILT_IN, architecture) == 0


def test_nodes_that_were_not_provided_are_unknown() -> None:
    """
    Unproven without the nodes and without the cluster's setting.
    """
    assert isinstance(tsc_frequency(world(complete=()), BUILT_IN, "amd64"), Unknown)
    assert isinstance(host_model_known(world(complete=())), Unknown)


def test_the_traits_of_a_node_come_only_from_its_labels() -> None:
    """
    A manifest cannot say it in another way, whatever keys it has.
    """
    raw = b'{"metadata": {"name": "a"}, "traits of its labels": {"schedulable": true, "tscFrequency": 5}}'

    result = msgspec.json.decode(raw, type=Node)

    assert (result.traits.schedulable, result.traits.tsc_frequency) == (False, 0)
