"""Address ranges as each IPAM plugin reads them (webhook.cni.ipam)."""

from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from webhook.cni.ipam import MAX_FAULTS, read_ipam
from webhook.facts.network import Fault, Ipam, Pool

NONE: frozenset[str] = frozenset()
RANGE = "10.1.1.0/24"


def read(settings: dict[str, Any], *at_run_time: str) -> Ipam:
    return read_ipam(settings, "ipam", frozenset(at_run_time))


def whereabouts(**more: Any) -> Ipam:
    return read({"type": "whereabouts", **more})


def host_local(**more: Any) -> Ipam:
    return read({"type": "host-local", **more})


def faults(known: tuple[Fault, ...]) -> list[tuple[str, str]]:
    """The place and the message of each fault. Each fault has an instruction of its own, which its message does not hold."""
    assert all(fault.remedy.endswith(".") and fault.remedy not in fault.message for fault in known)
    return [(fault.place, fault.message) for fault in known]


def pool(first: str, last: str, text: str = RANGE, place: str = "ipam.range", *excluded: str) -> Pool:
    left_out = tuple((int(ip_address(item)), int(ip_address(item))) for item in excluded)
    return Pool(place, ip_network(text), int(ip_address(first)), int(ip_address(last)), left_out)


def spans(ipam: Ipam) -> list[tuple[str, str]]:
    """The first and the last address of each excluded span."""
    return [(str(ip_address(low)), str(ip_address(high))) for low, high in ipam.pools[0].excluded]


def test_an_unknown_ipam_is_only_named() -> None:
    """
    A plugin that Migratable does not read has no faults.
    """
    assert read({"type": "home-made", "range": 5}) == Ipam("ipam", "home-made")
    assert read({"type": 5}) == Ipam("ipam", "")


@pytest.mark.parametrize(
    ("more", "first", "last"),
    [
        ({}, "10.1.1.1", "10.1.1.254"),
        ({"range_start": "10.1.1.9"}, "10.1.1.9", "10.1.1.254"),
        ({"range_end": "10.1.1.9"}, "10.1.1.1", "10.1.1.9"),
        ({"range_start": "10.1.1.9", "range_end": "10.1.1.9"}, "10.1.1.9", "10.1.1.9"),
        ({"range_start": "10.1.1.0"}, "10.1.1.1", "10.1.1.254"),
        ({"range_start": "10.1.1.1"}, "10.1.1.1", "10.1.1.254"),
        ({"range_start": "10.1.1.254"}, "10.1.1.254", "10.1.1.254"),
        ({"range_start": "10.1.1.255"}, "10.1.1.1", "10.1.1.254"),
        ({"range_end": "10.1.1.255"}, "10.1.1.1", "10.1.1.254"),
        ({"range_end": "10.1.1.254"}, "10.1.1.1", "10.1.1.254"),
        ({"range": "10.1.1.9-10.1.1.20/24"}, "10.1.1.9", "10.1.1.20"),
        ({"range": "10.1.1.9-10.1.1.20/24", "range_start": "10.1.1.30"}, "10.1.1.9", "10.1.1.20"),
    ],
)
def test_whereabouts_gives_out_the_range_between_start_and_end(more: dict[str, Any], first: str, last: str) -> None:
    """
    The network's first and last address are never given out.
    """
    ipam = whereabouts(**{"range": RANGE, **more})

    assert ipam == Ipam("ipam", "whereabouts", (pool(first, last),), reserves_as="")


@pytest.mark.parametrize(
    ("more", "place", "message"),
    [
        ({"range_start": "10.2.0.1"}, "range_start", "10.2.0.1 is outside 10.1.1.0/24 and is ignored"),
        ({"range_start": "x"}, "range_start", "'x' is not an IP address and is ignored"),
        (
            {"range_end": "10.2.0.1"},
            "range_end",
            "10.2.0.1 is outside 10.1.1.0/24 or before the start and is ignored",
        ),
        (
            {"range_start": "10.1.1.9", "range_end": "10.1.1.8"},
            "range_end",
            "10.1.1.8 is outside 10.1.1.0/24 or before the start and is ignored",
        ),
        ({"exclude": ["10.2.0.0/24"]}, "exclude[0]", "'10.2.0.0/24' is outside 10.1.1.0/24 and excludes nothing"),
        ({"exclude": ["fd00::1"]}, "exclude[0]", "'fd00::1' is outside 10.1.1.0/24 and excludes nothing"),
        ({"gateway": "10.2.0.1"}, "gateway", "10.2.0.1 is outside 10.1.1.0/24: no pod can reach it"),
        (
            {"gateway": "10.1.1.1"},
            "gateway",
            "10.1.1.1 is among the addresses for pods",
        ),
    ],
)
def test_whereabouts_ignores_addresses_outside_the_range(more: dict[str, Any], place: str, message: str) -> None:
    """
    It refuses none of these values, which are probably mistakes.
    """
    ipam = whereabouts(range=RANGE, **more)

    assert faults(ipam.doubtful) == [(f"ipam.{place}", f"ipam.{place} {message}")]
    assert ipam.refused == ()
    assert len(ipam.pools) == 1


@pytest.mark.parametrize(
    ("more", "place", "message"),
    [
        ({"range": 5}, "range", "is 5, not a string"),
        ({"range": "all"}, "range", "'all' is not a range"),
        (
            {"range": "10.1.2.1-10.1.1.9/24"},
            "range",
            "'10.1.2.1-10.1.1.9/24' does not begin with an address of 10.1.1.0/24",
        ),
        ({"range": "x-10.1.1.9/24"}, "range", "'x-10.1.1.9/24' does not begin with an address of 10.1.1.0/24"),
        (
            {"range": "10.1.1.0/31"},
            "range",
            "10.1.1.0/31 has no address to assign: whereabouts never uses the first and the last address",
        ),
        ({"range": "10.1.1.0/30", "exclude": ["10.1.1.0/30"]}, "exclude", "leaves no address of 10.1.1.0/30"),
        ({"range": RANGE, "exclude": "10.1.1.1"}, "exclude", "is '10.1.1.1', not a list"),
        ({"range": RANGE, "exclude": ["x"]}, "exclude[0]", "'x' is neither a range nor an IP address"),
        ({"range": RANGE, "gateway": "gw"}, "gateway", "'gw' is not an IP address"),
        ({"ipRanges": [5]}, "ipRanges[0]", "is 5, not an object"),
        ({"ipRanges": {}}, "ipRanges", "is an object, not a list"),
        ({"ipRanges": [None, {"range": "x"}]}, "ipRanges[1].range", "'x' is not a range"),
        (
            {"ipRanges": [{"range": RANGE, "range_end": "x"}]},
            "ipRanges[0].range_end",
            "'x' is not an IP address",
        ),
        ({"addresses": [5]}, "addresses[0]", "is 5, not an object"),
        (
            {"addresses": [{"address": "10.1.1.5"}]},
            "addresses[0].address",
            "'10.1.1.5' is not an address with a prefix length",
        ),
        (
            {"addresses": [{"address": "10.1.1.5/24", "gateway": "x"}]},
            "addresses[0].gateway",
            "'x' is not an IP address",
        ),
    ],
)
def test_whereabouts_refuses_invalid_ranges(more: dict[str, Any], place: str, message: str) -> None:
    """
    The fault is at the key, and such an ipam is not open to a file on the nodes.
    """
    ipam = whereabouts(**more)

    assert faults(ipam.refused) == [(f"ipam.{place}", f"ipam.{place} {message}")]
    assert ipam.open is False


def test_whereabouts_without_a_range_takes_one_from_the_node() -> None:
    """
    So it is open, and has no fault.
    """
    assert whereabouts() == Ipam("ipam", "whereabouts", reserves_as="", open=True)
    assert whereabouts(range="", ipRanges=None, exclude=None).open is True


def test_whereabouts_reserves_by_name_and_slices() -> None:
    """
    Networks of one name reserve together unless overlapping ranges are switched off; slices are given to nodes.
    """
    named, off, sliced = (
        whereabouts(range=RANGE, **item)
        for item in ({"network_name": "n"}, {"network_name": "n", "enable_overlapping_ranges": False}, {"node_slice_size": "/26"})
    )  # fmt: skip

    assert [item.reserves_as for item in (named, off, sliced)] == ["n", None, ""]
    assert [item.sliced for item in (named, off, sliced)] == [False, False, True]


@pytest.mark.parametrize(
    ("exclude", "expected"),
    [
        ([], []),
        (["10.1.1.9"], [("10.1.1.9", "10.1.1.9")]),
        (["10.1.1.8/30", "10.1.1.12/30"], [("10.1.1.8", "10.1.1.15")]),
        (["10.1.1.12/30", "10.1.1.8/30"], [("10.1.1.8", "10.1.1.15")]),
        (["10.1.1.8/30", "10.1.1.13"], [("10.1.1.8", "10.1.1.11"), ("10.1.1.13", "10.1.1.13")]),
        (["10.1.1.8/29", "10.1.1.9"], [("10.1.1.8", "10.1.1.15")]),
        (["10.1.1.0/30"], [("10.1.1.1", "10.1.1.3")]),
        (["10.1.1.252/30"], [("10.1.1.252", "10.1.1.254")]),
        (["10.1.1.0"], []),
        (["10.1.1.255"], []),
        (["10.1.1.1"], [("10.1.1.1", "10.1.1.1")]),
        (["10.1.1.254"], [("10.1.1.254", "10.1.1.254")]),
    ],
)
def test_exclusions_are_merged_and_cut_to_the_range(exclude: list[str], expected: list[tuple[str, str]]) -> None:
    """
    Neighbouring spans become one; what is not given out anyway is not excluded.
    """
    assert spans(whereabouts(range=RANGE, exclude=exclude)) == expected


def test_a_gateway_that_is_kept_back_is_fine() -> None:
    """
    By exclusion, by the start of the range, or in one of several ranges.
    """
    for more in (
        {"exclude": ["10.1.1.1"]},
        {"range_start": "10.1.1.2"},
        {"range_start": "10.1.1.2", "ipRanges": [{"range": "10.1.2.0/24"}]},
    ):
        assert whereabouts(range=RANGE, gateway="10.1.1.1", **more).doubtful == ()
    assert whereabouts(gateway="10.1.1.1").doubtful == ()


@pytest.mark.parametrize(
    ("more", "first", "last"),
    [
        ({}, "10.1.1.1", "10.1.1.254"),
        ({"rangeStart": "10.1.1.9"}, "10.1.1.9", "10.1.1.254"),
        ({"rangeEnd": "10.1.1.9"}, "10.1.1.1", "10.1.1.9"),
        ({"rangeStart": "10.1.1.9", "rangeEnd": "10.1.1.9"}, "10.1.1.9", "10.1.1.9"),
        ({"gateway": "10.1.1.1"}, "10.1.1.1", "10.1.1.254"),
    ],
)
def test_host_local_gives_out_the_subnet(more: dict[str, Any], first: str, last: str) -> None:
    """
    Between start and end; the range is used anew on each node.
    """
    ipam = host_local(subnet=RANGE, **more)

    assert ipam == Ipam("ipam", "host-local", (pool(first, last, RANGE, "ipam.subnet"),))


def test_host_local_gives_out_the_last_address_of_an_ipv6_subnet() -> None:
    """
    IPv6 has no broadcast address.
    """
    (result,) = host_local(ranges=[[{"subnet": "fd00::/126"}]]).pools

    assert (result.place, str(ip_address(result.last))) == ("ipam.ranges[0][0].subnet", "fd00::3")


SMALL = "10.1.1.0/30"


@pytest.mark.parametrize(
    ("more", "place", "message"),
    [
        ({}, "", "has neither subnet nor ranges"),
        ({"subnet": "x"}, ".subnet", "'x' is not a subnet"),
        ({"subnet": "10.1.1.0/31"}, ".subnet", "10.1.1.0/31 is too small: host-local needs four addresses or more"),
        ({"subnet": "10.1.1.5/24"}, ".subnet", "'10.1.1.5/24' has host bits"),
        ({"subnet": RANGE, "rangeStart": "10.2.0.1"}, ".rangeStart", "10.2.0.1 is outside 10.1.1.0/24"),
        (
            {"subnet": RANGE, "rangeEnd": "10.2.0.1"},
            ".rangeEnd",
            "10.2.0.1 is outside 10.1.1.0/24 or before rangeStart",
        ),
        (
            {"subnet": RANGE, "rangeStart": "10.1.1.9", "rangeEnd": "10.1.1.8"},
            ".rangeEnd",
            "10.1.1.8 is outside 10.1.1.0/24 or before rangeStart",
        ),
        ({"subnet": RANGE, "gateway": "gw"}, ".gateway", "'gw' is not an IP address"),
        ({"subnet": 5}, ".subnet", "is 5, not a string"),
        ({"ranges": 5}, ".ranges", "is 5, not a list"),
        ({"ranges": [[]]}, ".ranges[0]", "has no range"),
        (
            {"ranges": [{"subnet": RANGE}]},
            ".ranges[0]",
            "is an object, not a list of ranges",
        ),
        ({"ranges": [[5]]}, ".ranges[0][0]", "is 5, not an object"),
        (
            {"ranges": [[{"subnet": RANGE}, {"subnet": "fd00::/64"}]]},
            ".ranges[0][0]",
            "and the other ranges of the list mix IPv4 and IPv6",
        ),
        (
            {"ranges": [[{"subnet": RANGE}, {"subnet": SMALL}]]},
            ".ranges[0][1].subnet",
            "10.1.1.0/30 overlaps ipam.ranges[0][0].subnet 10.1.1.0/24",
        ),
        (
            {"subnet": RANGE, "ranges": [[{"subnet": SMALL}]]},
            ".ranges[0][0].subnet",
            "10.1.1.0/30 overlaps ipam.subnet 10.1.1.0/24",
        ),
    ],
)
def test_host_local_refuses_invalid_ranges(more: dict[str, Any], place: str, message: str) -> None:
    """
    Host bits and addresses outside a subnet are refused, unlike by whereabouts.
    """
    assert faults(host_local(**more).refused) == [(f"ipam{place}", f"ipam{place} {message}")]


def test_host_local_may_get_its_ranges_from_the_pod() -> None:
    """
    With the capability ipRanges it needs none of its own.
    """
    assert read({"type": "host-local"}, "ipRanges") == Ipam("ipam", "host-local", open=True)
    assert read({"type": "host-local", "subnet": RANGE}, "ips").open is False


def test_a_gateway_outside_the_subnet_is_doubtful() -> None:
    """
    host-local takes it; only the one beside subnet is known to belong to it.
    """
    outside = host_local(subnet=RANGE, gateway="10.2.0.1")

    assert faults(outside.doubtful) == [
        ("ipam.gateway", "ipam.gateway 10.2.0.1 is outside 10.1.1.0/24: no pod can reach it")
    ]
    assert outside.refused == ()
    assert host_local(ranges=[[{"subnet": RANGE}]], gateway="10.2.0.1").doubtful == ()


def test_static_addresses_are_counted() -> None:
    """
    Addresses that a pod requests replace the listed ones, which are then not read.
    """
    two = [{"address": "10.1.1.5/24"}, {"address": "10.1.1.6/24", "gateway": "10.1.1.1"}]

    assert read({"type": "static", "addresses": two}) == Ipam("ipam", "static", addresses=2)
    assert read({"type": "static"}) == Ipam("ipam", "static")
    assert read({"type": "static", "addresses": [5]}, "ips") == Ipam("ipam", "static", open=True)
    assert read({"type": "static", "addresses": [5]}, "ipRanges").refused == (
        Fault("ipam.addresses[0]", "ipam.addresses[0] is 5, not an object", "Write an object."),
    )


def test_only_whereabouts_accepts_leading_zeros() -> None:
    """
    Go has refused them since 1.17; whereabouts has its own parser.
    """
    zeros = [{"address": "010.001.001.005/24"}]

    assert whereabouts(addresses=zeros).refused == ()
    assert [fault.place for fault in read({"type": "static", "addresses": zeros}).refused] == [
        "ipam.addresses[0].address"
    ]


@pytest.mark.parametrize("wrong", [MAX_FAULTS - 1, MAX_FAULTS, MAX_FAULTS + 1])
def test_at_most_twenty_faults_are_listed(wrong: int) -> None:
    """
    Refused and doubtful ones each; a hostile configuration gives no longer list.
    """
    refused = whereabouts(ipRanges=[5] * wrong)
    doubtful = whereabouts(range=RANGE, exclude=["10.2.0.1"] * wrong)

    assert [len(refused.refused), len(doubtful.doubtful)] == [min(wrong, 20)] * 2


def test_whereabouts_reads_leading_zeros_everywhere() -> None:
    """
    In the range, its bounds and the gateway.
    """
    ipam = whereabouts(range="010.001.001.000/24", range_start="010.001.001.009", gateway="010.001.001.001")
    between = whereabouts(range="010.001.001.009-010.001.001.020/24")

    assert ipam == Ipam("ipam", "whereabouts", (pool("10.1.1.9", "10.1.1.254"),), reserves_as="")
    assert between == Ipam("ipam", "whereabouts", (pool("10.1.1.9", "10.1.1.20"),), reserves_as="")


def test_a_gateway_is_kept_back_in_each_of_its_ranges() -> None:
    """
    One range that gives it out is enough for a doubt.
    """
    ipam = whereabouts(range=RANGE, exclude=["10.1.1.1"], ipRanges=[{"range": RANGE}], gateway="10.1.1.1")

    assert [fault.place for fault in ipam.doubtful] == ["ipam.gateway"]


def test_each_address_is_read() -> None:
    """
    A wrong one does not hide the next.
    """
    result = read({"type": "static", "addresses": [5, {"address": "x"}]})

    assert [fault.place for fault in result.refused] == ["ipam.addresses[0]", "ipam.addresses[1].address"]
