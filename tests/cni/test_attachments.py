"""NetworkAttachmentDefinitions as Multus and the plugins read them, and the migration network."""

import json
from typing import Any

import msgspec
import pytest

from tests.instructions import instructions
from webhook.cni import json as gojson
from webhook.cni.attachments import IN_USE, in_use_by, ipams_of, read_config
from webhook.facts.network import CniConfig, Fault, Ipam
from webhook.facts.objects_world import ObjectsWorld
from webhook.facts.unknown import Unknown
from webhook.judging.finding import Judgement
from webhook.judging.machines import judge
from webhook.kubevirt.releases import SUPPORTED
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.meta import Kubernetes, ObjectMeta
from webhook.objects.nad import NetworkAttachmentDefinition, NetworkSpec, Node
from webhook.rules.rule import Severity

LAB = (
    '{"cniVersion": "0.3.1", "name": "migration-bridge", "type": "macvlan", "master": "eth1", "mode": "bridge", '
    '"ipam": {"type": "whereabouts", "range": "10.1.1.0/24"}}'
)


def a_network(
    config: str | None, name: str = "migration-network", namespace: str = "kubevirt"
) -> NetworkAttachmentDefinition:
    return NetworkAttachmentDefinition(
        metadata=ObjectMeta(name=name, namespace=namespace), spec=NetworkSpec(config=config)
    )


def a_kubevirt(network: Any = "migration-network", namespace: str = "kubevirt") -> KubeVirt:
    spec = {"configuration": {"migrations": {"network": network}}}
    return msgspec.convert({"metadata": {"name": "kubevirt", "namespace": namespace}, "spec": spec}, KubeVirt)


def a_node(name: str) -> Node:
    return Node(metadata=ObjectMeta(name=name, labels={"kubevirt.io/schedulable": "true"}))


def judged(subject: Kubernetes, *world: Kubernetes) -> Judgement:
    return judge(subject, ObjectsWorld(world), SUPPORTED)


def findings(subject: Kubernetes, *world: Kubernetes) -> list[tuple[str, str]]:
    return [(finding.rule.id, finding.message) for finding in judged(subject, *world).findings]


def ipam_of(ipam: dict[str, Any]) -> Ipam:
    config = read_config(a_network(json.dumps({"type": "macvlan", "master": "eth1", "ipam": ipam})))
    assert isinstance(config, CniConfig)
    return ipams_of(config)[0]


@pytest.mark.parametrize(
    "world",
    [(), (a_kubevirt(),), (a_kubevirt(), a_node("a"), a_node("b"), a_node("c"))],
    ids=["alone", "named", "nodes"],
)
def test_the_labs_network_is_judged_clean(world: tuple[Kubernetes, ...]) -> None:
    """
    The lab's NetworkAttachmentDefinition has no finding, whether or not the KubeVirt CR names it already.
    """
    assert findings(a_network(LAB), *world) == []


def test_the_labs_kubevirt_is_judged_clean() -> None:
    """
    A KubeVirt CR that names a fit network in its own namespace has no findings about it.
    """
    reported = judged(a_kubevirt(), a_network(LAB)).findings

    assert [finding.rule.id for finding in reported if finding.rule.id.startswith("LM7")] == []


def test_a_network_known_to_be_absent_is_a_violation_with_a_remedy() -> None:
    """
    Where all networks are known, a missing one is an error, and the remedy names its namespace.
    """
    world = ObjectsWorld((), complete=(NetworkAttachmentDefinition,))

    result = [finding for finding in judge(a_kubevirt(), world, SUPPORTED).findings if finding.rule.id == "LM716"]

    assert [(finding.message, finding.remedy, finding.undetermined) for finding in result] == [
        (
            (
                "namespace 'kubevirt' has no NetworkAttachmentDefinition 'migration-network', so "
                "virt-handler would not start again on any node, and no VM could start, stop or migrate"
            ),
            (
                "Ask the administrator of the cluster network to create the NetworkAttachmentDefinition in namespace 'kubevirt'. "
                "Set its name here only after that."
            ),
            False,
        )
    ]


@pytest.mark.parametrize(
    ("namespace", "name", "network", "used"),
    [
        ("kubevirt", "migration-network", "migration-network", True),
        ("kubevirt", "migration-network", "kubevirt/migration-network", True),
        ("tenant", "migration-network", "tenant/migration-network", True),
        ("", "migration-network", "migration-network", True),
        ("tenant", "migration-network", "migration-network", False),
        ("kubevirt", "migration-network", "tenant/migration-network", False),
        ("kubevirt", "other", "migration-network", False),
        ("kubevirt", "", "", False),
        ("kubevirt", "5", 5, False),
        ("kubevirt", "migration-network", None, False),
    ],
)
def test_a_network_is_in_use_where_the_kubevirt_cr_names_it(
    namespace: str, name: str, network: Any, used: bool
) -> None:
    """
    A name alone means KubeVirt's own namespace; namespace and name mean that one.
    """
    assert in_use_by(namespace, name, a_kubevirt(network)) is used


def test_a_kubevirt_without_configuration_uses_no_network() -> None:
    """
    A KubeVirt CR with an empty spec names no network.
    """
    assert not in_use_by("kubevirt", "migration-network", KubeVirt())


def test_the_message_against_a_deletion_names_the_effect_and_the_field_to_change_first() -> None:
    """
    A user who deletes the network reads that virt-handler would not start, and which field to change first.
    """
    assert "virt-handler does not start on any node" in IN_USE
    assert "First change or remove spec.configuration.migrations.network" in IN_USE


ACCEPTED = [
    {"type": "macvlan", "IPAM": {"Type": "whereabouts", "Range": "10.1.1.0/24"}},
    {"type": "macvlan", "ipam": {"type": "whereabouts", "range": "010.001.001.000/24"}},
    {"type": "macvlan", "ipam": {"type": "whereabouts", "range": "10.1.1.77/24", "range_start": "nonsense"}},
    {
        "type": "macvlan",
        "ipam": {"type": "whereabouts", "range": "10.1.1.0/24", "exclude": ["10.1.1.3", "10.1.1.8/30"]},
    },
    {"type": "macvlan", "ipam": {"type": "whereabouts", "range": "10.1.1.0/30", "gateway": "192.0.2.1"}},
    {"type": "macvlan", "ipam": {"type": "whereabouts", "range": None, "ipRanges": [{"range": "fd00::/64"}]}},
    {"type": "macvlan", "ipam": {"type": "whereabouts"}},
    {
        "type": "macvlan",
        "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.1.1.0/25"}, {"subnet": "10.1.2.0/24"}]]},
    },
    {"type": "macvlan", "ipam": {"type": "host-local", "subnet": "10.1.1.0/24", "gateway": "192.0.2.1"}},
    {"type": "macvlan", "capabilities": {"ipRanges": True}, "ipam": {"type": "host-local"}},
    {
        "type": "macvlan",
        "capabilities": {"ips": True},
        "ipam": {"type": "static", "addresses": [{"address": "10.1.1.5"}]},
    },
    {"type": "macvlan", "ipam": {"type": "static"}},
    {"type": "macvlan", "ipam": {}},
    {"type": "macvlan", "ipam": None, "name": "", "cniVersion": ""},
    {"type": "bridge", "bridge": "br1", "vlan": 100, "vlanTrunk": [{"id": 5}], "unheard-of": [{}]},
    {"type": "cnv-bridge", "bridge": "br1", "vlan": 100, "ipam": {"type": "home-made", "range": "all of it"}},
    {"type": "ovn-k8s-cni-overlay", "topology": "localnet", "subnets": "10.1.1.0/24", "cniVersion": "0.3.1"},
    {"type": "home-made", "vlan": "100", "cniVersion": "x"},
    {"type": "sriov", "vlan": "nonsense to others"},
    {"plugins": [{"type": "bridge", "bridge": "br1"}, {"type": "tuning"}, {"type": "ipvlan", "master": "a"}]},
    {"type": "host-device", "runtimeConfig": {"deviceID": "0000:00:1f.6"}},
]


@pytest.mark.parametrize("config", ACCEPTED, ids=lambda config: json.dumps(config)[:60])
def test_a_configuration_that_plugins_accept_has_no_errors(config: dict[str, Any]) -> None:
    """
    A configuration that its plugins accept, or that has unknown plugins, is never an error.
    """
    reported = judged(a_network(json.dumps(config))).findings

    assert [
        finding.message for finding in reported if finding.rule.severity is Severity.ERROR and not finding.undetermined
    ] == []


REFUSED = [
    ({"type": "whereabouts", "range": "10.1.1.0/255.255.255.0"}, "ipam.range"),
    ({"type": "whereabouts", "range": "fe80::1%eth0/64"}, "ipam.range"),
    ({"type": "whereabouts", "range": "10.1.2.1-10.1.1.9/24"}, "ipam.range"),
    ({"type": "whereabouts", "range": 5}, "ipam.range"),
    ({"type": "whereabouts", "range": "10.1.1.0/32"}, "ipam.range"),
    ({"type": "whereabouts", "ipRanges": [{"range": ""}]}, "ipam.ipRanges[0].range"),
    ({"type": "whereabouts", "ipRanges": ["10.1.1.0/24"]}, "ipam.ipRanges[0]"),
    ({"type": "whereabouts", "range": "10.1.1.0/24", "exclude": "10.1.1.1/32"}, "ipam.exclude"),
    ({"type": "whereabouts", "range": "10.1.1.0/24", "exclude": ["10.1.1"]}, "ipam.exclude[0]"),
    ({"type": "whereabouts", "range": "10.1.1.0/24", "gateway": "gw"}, "ipam.gateway"),
    (
        {"type": "whereabouts", "ipRanges": [{"range": "10.1.1.0/24", "range_start": "x"}]},
        "ipam.ipRanges[0].range_start",
    ),
    ({"type": "host-local"}, "ipam"),
    ({"type": "host-local", "ranges": [{"subnet": "10.1.1.0/24"}]}, "ipam.ranges[0]"),
    ({"type": "host-local", "ranges": [[]]}, "ipam.ranges[0]"),
    ({"type": "host-local", "subnet": "010.1.1.0/24"}, "ipam.subnet"),
    ({"type": "host-local", "subnet": "10.1.1.0/31"}, "ipam.subnet"),
    ({"type": "host-local", "subnet": "10.1.1.0/24", "gateway": "gw"}, "ipam.gateway"),
    (
        {"type": "host-local", "subnet": "10.1.1.0/24", "rangeStart": "10.1.1.9", "rangeEnd": "10.1.1.8"},
        "ipam.rangeEnd",
    ),
    (
        {"type": "host-local", "ranges": [[{"subnet": "10.1.1.0/24"}], [{"subnet": "10.1.0.0/16"}]]},
        "ipam.ranges[1][0].subnet",
    ),
    ({"type": "host-local", "ranges": [[{"subnet": "10.1.1.0/24"}, {"subnet": "fd00::/64"}]]}, "ipam.ranges[0][0]"),
    ({"type": "static", "addresses": ["10.1.1.5/24"]}, "ipam.addresses[0]"),
    ({"type": "static", "addresses": [{"address": "10.1.1.5/24", "gateway": "gw"}]}, "ipam.addresses[0].gateway"),
]


@pytest.mark.parametrize(("ipam", "place"), REFUSED, ids=lambda item: str(item)[:70])
def test_a_fault_that_an_ipam_plugin_refuses_has_its_place(ipam: dict[str, Any], place: str) -> None:
    """
    The only fault is the one that the IPAM plugin refuses, at its key.
    """
    assert [fault.place for fault in ipam_of(ipam).refused] == [place]


def test_the_message_about_invalid_json_names_the_place() -> None:
    """
    For a missing comma the message names line and character.
    """
    config = read_config(a_network('{"type": "macvlan",\n "master" "eth1"}'))

    assert isinstance(config, Fault)
    assert config.message.startswith("the configuration is not JSON: line 2, character 11: ")


@pytest.mark.parametrize("text", ["[" * 200_000, '{"a":' * 200_000, " " * (gojson.MAX_LENGTH + 1)])
def test_a_configuration_that_is_too_large_is_undetermined(text: str) -> None:
    """
    A very long or deeply nested configuration is unproven, and takes neither time nor stack.
    """
    assert isinstance(read_config(a_network(text)), Unknown)


@pytest.mark.parametrize(
    "text", ["NaN", '{"mtu": Infinity}', '{"type": "macvlan"} {}', "\ufeff{}", "{'type': 'macvlan'}"]
)
def test_text_that_go_does_not_read_as_json_is_not_json(text: str) -> None:
    """
    Python's JSON reader accepts more than JSON; Migratable refuses it, as Multus does.
    """
    assert isinstance(read_config(a_network(text)), Fault)


def test_a_number_of_thousands_of_digits_is_read() -> None:
    """
    A very long number in an unused field is accepted.
    """
    assert isinstance(read_config(a_network('{"type": "macvlan", "mtu": ' + "9" * 5000 + "}")), CniConfig)


def test_an_annotated_resource_supplies_the_device() -> None:
    """
    A host device that a device plugin chooses need not be named.
    """
    annotations = {"k8s.v1.cni.cncf.io/resourceName": "vendor.example/nic"}
    network = NetworkAttachmentDefinition(
        metadata=ObjectMeta(name="a", namespace="b", annotations=annotations),
        spec=NetworkSpec(config='{"type": "host-device"}'),
    )

    assert findings(network) == []


def test_a_range_in_slices_is_not_counted_against_the_nodes() -> None:
    """
    With node_slice_size a node takes a slice, so single addresses are not compared with nodes.
    """
    ipam = '{"type": "whereabouts", "range": "10.1.1.0/30", "node_slice_size": "/31"}'
    config = f'{{"type": "macvlan", "master": "a", "ipam": {ipam}}}'

    assert findings(a_network(config), a_kubevirt(), a_node("a"), a_node("b"), a_node("c")) == []


def test_a_kubevirt_cr_with_an_unfit_network_is_refused_with_the_reason() -> None:
    """
    A KubeVirt CR that names a faulty network is refused with the fault of the network.
    """
    config = '{"type": "macvlan", "master": "eth1", "ipam": {"type": "whereabouts", "range": "10.1.1.0/30"}}'

    reported = findings(a_kubevirt(), a_network(config), a_node("a"), a_node("b"), a_node("c"))

    assert [finding for finding in reported if finding[0] == "LM718"] == [
        (
            "LM718",
            "network 'migration-network' is unfit for migrations: ipam.range 10.1.1.0/30 has 2 addresses for 3 nodes",
        )
    ]


def test_a_thousand_hostile_ranges_give_few_findings() -> None:
    """
    A configuration with many faults has at most a handful of findings.
    """
    ranges = [{"range": "x" * 1000}] * 1000
    config = json.dumps({"type": "macvlan", "master": "eth1", "ipam": {"type": "whereabouts", "ipRanges": ranges}})

    reported = findings(a_network(config))

    assert len(reported) == 20
    assert max(len(message) for _, message in reported) < 200


def test_the_work_for_empty_ranges_is_proportional_to_their_number() -> None:
    """
    Ranges without addresses are not compared with each other.
    """

    def judging(number: int) -> int:
        ranges = [[{"subnet": "10.1.1.5/24"}]] * number
        config = json.dumps({"type": "macvlan", "master": "eth1", "ipam": {"type": "host-local", "ranges": ranges}})
        subject = a_network(config)
        assert len(findings(subject)) == 20
        return instructions(lambda: findings(subject))

    few, many = judging(100), judging(800)

    assert many <= 9 * few
