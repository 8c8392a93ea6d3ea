"""
Address ranges, read as each IPAM plugin reads them: what it refuses, what it passes over, which addresses it gives out.

Sources: whereabouts v0.9.4 ``pkg/config/config.go``, ``pkg/types/types.go``, ``pkg/iphelpers``, ``pkg/allocate``; the CNI
plugins v1.9.1 ``plugins/ipam/host-local/backend/allocator`` and ``plugins/ipam/static``. Plugins that are not read here
are never said to be wrong.
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import combinations, islice
from typing import Final

import msgspec

from webhook.cni.addresses import Address, address_of, interface_of, network_of
from webhook.cni.json import member, text_of
from webhook.facts.network import Fault, Ipam, Network, Pool
from webhook.objects.meta import Json
from webhook.objects.shown import shown

WHEREABOUTS, HOST_LOCAL, STATIC, DHCP = "whereabouts", "host-local", "static", "dhcp"
MOST_FAULTS: Final = 20
"""Of one ``ipam``; who has more starts with these."""
MOST_PAIRS: Final = 10_000
"""Pairs of ranges that are compared, so that a hostile configuration costs no time."""


class _Reading(msgspec.Struct):
    """What has been found so far while one ``ipam`` is read."""

    pools: list[Pool] = msgspec.field(default_factory=list)
    refused: list[Fault] = msgspec.field(default_factory=list)
    doubtful: list[Fault] = msgspec.field(default_factory=list)

    def refuse(self, place: str, what: str) -> None:
        if len(self.refused) < MOST_FAULTS:
            self.refused.append(Fault(place, f"{place} {what}"))

    def doubt(self, place: str, what: str) -> None:
        if len(self.doubtful) < MOST_FAULTS:
            self.doubtful.append(Fault(place, f"{place} {what}"))

    def text(self, settings: Mapping[str, Json], key: str, place: str) -> str:
        """A string, empty where it is absent; Go refuses the whole configuration over another type."""
        value = member(settings, key)
        if value is not None and not isinstance(value, str):
            self.refuse(f"{place}.{key}", f"is {shown(value)}, not a string")
        return text_of(value)

    def items(self, settings: Mapping[str, Json], key: str, place: str) -> list[Json]:
        """A list, empty where it is absent."""
        value = member(settings, key)
        if value is not None and not isinstance(value, list):
            self.refuse(f"{place}.{key}", f"is {shown(value)}, not a list")
        return value if isinstance(value, list) else []

    def address(self, settings: Mapping[str, Json], key: str, place: str) -> Address | None:
        """An address that Go reads with the rest of the JSON: what is none makes the plugin refuse everything."""
        text = self.text(settings, key, place)
        found = address_of(text)
        if text and found is None:
            self.refuse(f"{place}.{key}", f"{shown(text)} is not an IP address")
        return found


def read_ipam(settings: Mapping[str, Json], place: str, at_run_time: frozenset[str]) -> Ipam:
    """``ipam`` of a plugin; ``at_run_time`` are the capabilities by which a pod may bring addresses of its own."""
    kind = text_of(member(settings, "type"))
    reader = _READERS.get(kind)
    return reader(settings, place, at_run_time) if reader is not None else Ipam(place, kind)


def _whereabouts(settings: Mapping[str, Json], place: str, _at_run_time: frozenset[str]) -> Ipam:
    """Without any range whereabouts takes one from its file on the node, so that is no fault."""
    reading = _Reading()
    if reading.text(settings, "range", place):
        _whereabouts_range(reading, settings, place, of_ipam=True)
    for index, each in enumerate(reading.items(settings, "ipRanges", place)):
        if isinstance(each, dict):
            _whereabouts_range(reading, each, f"{place}.ipRanges[{index}]", of_ipam=False)
        elif each is not None:
            reading.refuse(f"{place}.ipRanges[{index}]", f"is {shown(each)}, not an object")
    _whereabouts_gateway(reading, settings, place)
    addresses = _addresses(reading, settings, place, sloppy=True)
    name = text_of(member(settings, "network_name"))
    return Ipam(
        place,
        WHEREABOUTS,
        tuple(reading.pools),
        addresses,
        tuple(reading.refused),
        tuple(reading.doubtful),
        reserves_as=None if member(settings, "enable_overlapping_ranges") is False else name,
        sliced=bool(member(settings, "node_slice_size")),
        open=not reading.pools and not reading.refused,
    )


def _whereabouts_range(reading: _Reading, settings: Mapping[str, Json], place: str, *, of_ipam: bool) -> None:
    """One range. ``range_start`` and ``range_end`` outside it are passed over in silence; host bits do not matter."""
    at, text = f"{place}.range", reading.text(settings, "range", place)
    start: Address | None
    end: Address | None
    begin, dash, cidr = text.partition("-")
    found = interface_of(cidr if dash else text, sloppy=True)
    if found is None:
        reading.refuse(at, f"{shown(text)} is not a range; write it as 10.1.1.0/24")
        return
    network = found[1]
    if dash:
        start, end = address_of(begin, sloppy=True), found[0]
        if start is None or start not in network:
            reading.refuse(at, f"{shown(text)} does not begin with an address of {network}")
            return
    elif of_ipam:
        start = _lenient(reading, settings, "range_start", place)
        end = _lenient(reading, settings, "range_end", place)
    else:
        start, end = reading.address(settings, "range_start", place), reading.address(settings, "range_end", place)
    if network.max_prefixlen - network.prefixlen < 2:
        reading.refuse(at, f"{network} has no address to give out: the first and the last one are never used")
        return
    first, last = int(network.network_address) + 1, int(network.broadcast_address) - 1
    if start is not None and start not in network:
        reading.doubt(f"{place}.range_start", f"{start} lies outside {network} and is passed over")
    elif start is not None:
        first = int(start) if first <= int(start) <= last else first
    if end is not None and (end not in network or int(end) < first):
        reading.doubt(f"{place}.range_end", f"{end} lies outside {network} or before the start and is passed over")
    elif end is not None:
        last = min(last, int(end))
    pool = Pool(at, network, first, last, _excluded(reading, settings, place, network, first, last))
    if not pool.size:
        reading.refuse(f"{place}.exclude", f"leaves no address of {network}")
    else:
        reading.pools.append(pool)


def _lenient(reading: _Reading, settings: Mapping[str, Json], key: str, place: str) -> Address | None:
    text = reading.text(settings, key, place)
    found = address_of(text, sloppy=True)
    if text and found is None:
        reading.doubt(f"{place}.{key}", f"{shown(text)} is not an IP address and is passed over")
    return found


def _excluded(
    reading: _Reading, settings: Mapping[str, Json], place: str, network: Network, first: int, last: int
) -> tuple[tuple[int, int], ...]:
    """Excluded networks and single addresses, merged and cut to what would be given out."""
    spans: list[tuple[int, int]] = []
    for index, each in enumerate(reading.items(settings, "exclude", place)):
        at = f"{place}.exclude[{index}]"
        left_out = network_of(text_of(each))
        if left_out is None:
            reading.refuse(at, f"{shown(each)} is neither a range nor an IP address")
        elif left_out.version != network.version or not left_out.overlaps(network):
            reading.doubt(at, f"{shown(each)} lies outside {network} and excludes nothing")
        else:
            low, high = int(left_out.network_address), int(left_out.broadcast_address)
            if low <= last and high >= first:
                spans.append((max(low, first), min(high, last)))
    merged: list[tuple[int, int]] = []
    for low, high in sorted(spans):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)


def _whereabouts_gateway(reading: _Reading, settings: Mapping[str, Json], place: str) -> None:
    """Neither does whereabouts ask that the gateway is in the range, nor does it keep it back from the pods."""
    at, text = f"{place}.gateway", reading.text(settings, "gateway", place)
    gateway = address_of(text, sloppy=True)
    if text and gateway is None:
        reading.refuse(at, f"{shown(text)} is not an IP address")
    elif gateway is not None and reading.pools:
        around = [pool for pool in reading.pools if gateway in pool.network]
        if not around:
            reading.doubt(at, f"{gateway} lies outside {reading.pools[0].network}: no pod can reach it")
        elif any(pool.gives(int(gateway)) for pool in around):
            reading.doubt(at, f"{gateway} is among the addresses that are given to pods; list it under exclude")


def _addresses(reading: _Reading, settings: Mapping[str, Json], place: str, *, sloppy: bool) -> int:
    """How many fixed addresses there are; each needs its prefix length."""
    listed = reading.items(settings, "addresses", place)
    for index, each in enumerate(listed):
        at = f"{place}.addresses[{index}]"
        if not isinstance(each, dict):
            reading.refuse(at, f"is {shown(each)}, not an object")
            continue
        text = reading.text(each, "address", at)
        if interface_of(text, sloppy=sloppy) is None:
            reading.refuse(f"{at}.address", f"{shown(text)} is not an address with its length, as in 10.1.1.5/24")
        reading.address(each, "gateway", at)
    return len(listed)


def _static(settings: Mapping[str, Json], place: str, at_run_time: frozenset[str]) -> Ipam:
    """Addresses that the pod brings replace the written ones, so these are not looked at then."""
    if "ips" in at_run_time:
        return Ipam(place, STATIC, open=True)
    reading = _Reading()
    count = _addresses(reading, settings, place, sloppy=False)
    return Ipam(place, STATIC, addresses=count, refused=tuple(reading.refused))


def _host_local(settings: Mapping[str, Json], place: str, at_run_time: frozenset[str]) -> Ipam:
    """host-local refuses what whereabouts passes over, host bits included."""
    reading = _Reading()
    sets: list[list[Pool]] = []
    written = False
    if reading.text(settings, "subnet", place):
        written = True
        sets.append(_host_local_set(reading, [settings], [place]))
    for index, each in enumerate(reading.items(settings, "ranges", place)):
        written = True
        at = f"{place}.ranges[{index}]"
        if not isinstance(each, list):
            reading.refuse(at, f'is {shown(each)}; each entry is itself a list of ranges: [[{{"subnet": …}}]]')
        elif not each:
            reading.refuse(at, "holds no range")
        else:
            sets.append(_host_local_set(reading, each, [f"{at}[{inner}]" for inner in range(len(each))]))
    if not written and "ipRanges" not in at_run_time and not reading.refused:
        reading.refuse(place, "names neither subnet nor ranges")
    filled = [each for each in sets if each]  # two that hold nothing make no pair, and would never end by their number
    _refuse_overlap(reading, ((a, b) for one, other in combinations(filled, 2) for a in one for b in other))
    pools = tuple(pool for each in sets for pool in each)
    doubtful = _host_local_gateway(settings, place, pools)
    return Ipam(place, HOST_LOCAL, pools, 0, tuple(reading.refused), doubtful, open="ipRanges" in at_run_time)


def _host_local_set(reading: _Reading, ranges: list[Json], places: list[str]) -> list[Pool]:
    pools = []
    for each, place in zip(ranges, places, strict=True):
        if not isinstance(each, dict):
            reading.refuse(place, f"is {shown(each)}, not an object")
        elif (pool := _host_local_range(reading, each, place)) is not None:
            pools.append(pool)
    if len({pool.network.version for pool in pools}) > 1:
        reading.refuse(places[0], "and its neighbours mix IPv4 and IPv6; give each family a list of its own")
    _refuse_overlap(reading, combinations(pools, 2))
    return pools


def _host_local_range(reading: _Reading, settings: Mapping[str, Json], place: str) -> Pool | None:
    at, text = f"{place}.subnet", reading.text(settings, "subnet", place)
    found = interface_of(text)
    start, end = reading.address(settings, "rangeStart", place), reading.address(settings, "rangeEnd", place)
    reading.address(settings, "gateway", place)
    if found is None:
        reading.refuse(at, f"{shown(text)} is not a subnet; write it as 10.1.1.0/24")
        return None
    address, network = found
    if network.max_prefixlen - network.prefixlen < 2:
        reading.refuse(at, f"{network} is too small: host-local needs four addresses or more")
        return None
    if address != network.network_address:
        reading.refuse(at, f"{shown(text)} is an address inside a subnet; write {network}")
        return None
    first, last = int(network.network_address) + 1, int(network.broadcast_address) - (network.version == 4)
    if start is not None and start not in network:
        reading.refuse(f"{place}.rangeStart", f"{start} lies outside {network}")
        return None
    first = int(start) if start is not None else first
    if end is not None and (end not in network or int(end) < first):
        reading.refuse(f"{place}.rangeEnd", f"{end} lies outside {network} or before rangeStart")
        return None
    return Pool(at, network, first, int(end) if end is not None else last)


def _refuse_overlap(reading: _Reading, pairs: Iterable[tuple[Pool, Pool]]) -> None:
    for one, other in islice(pairs, MOST_PAIRS):
        if one.overlaps(other):
            reading.refuse(other.place, f"{other.network} overlaps {one.place} {one.network}")


def _host_local_gateway(settings: Mapping[str, Json], place: str, pools: tuple[Pool, ...]) -> tuple[Fault, ...]:
    """The gateway beside ``subnet``; host-local takes any address."""
    gateway, at = address_of(text_of(member(settings, "gateway"))), f"{place}.gateway"
    mine = next((pool for pool in pools if pool.place == f"{place}.subnet"), None)
    if gateway is None or mine is None or gateway in mine.network:
        return ()
    return (Fault(at, f"{at} {gateway} lies outside {mine.network}: no pod can reach it"),)


_READERS: Mapping[str, Callable[[Mapping[str, Json], str, frozenset[str]], Ipam]] = {
    WHEREABOUTS: _whereabouts,
    HOST_LOCAL: _host_local,
    STATIC: _static,
}
