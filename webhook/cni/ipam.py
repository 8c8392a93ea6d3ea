"""
Reads address ranges as each IPAM plugin reads them: which ranges it refuses, which settings it ignores, and which addresses it
assigns.

Sources: whereabouts v0.9.4 ``pkg/config/config.go``, ``pkg/types/types.go``, ``pkg/iphelpers``, ``pkg/allocate``; the CNI
plugins v1.9.1 ``plugins/ipam/host-local/backend/allocator`` and ``plugins/ipam/static``. The configuration of other IPAM
plugins is not read and has no faults.
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
MAX_FAULTS: Final = 20
"""The maximum number of reported faults of one ``ipam``. Further faults are not reported."""
USE_LARGER: Final = "Use a larger range, such as 10.1.1.0/24."
WRITE_ADDRESS: Final = "Write an IP address, such as 10.1.1.10."
MAX_PAIRS: Final = 10_000
"""The maximum number of compared pairs of ranges. This limit bounds the time that a hostile configuration can take."""


class _IpamReader(msgspec.Struct):
    """Reads one ``ipam`` and collects its pools and faults."""

    pools: list[Pool] = msgspec.field(default_factory=list)
    refused: list[Fault] = msgspec.field(default_factory=list)
    doubtful: list[Fault] = msgspec.field(default_factory=list)

    def refuse(self, place: str, what: str, remedy: str) -> None:
        if len(self.refused) < MAX_FAULTS:
            self.refused.append(Fault(place, f"{place} {what}", remedy))

    def doubt(self, place: str, what: str, remedy: str) -> None:
        if len(self.doubtful) < MAX_FAULTS:
            self.doubtful.append(Fault(place, f"{place} {what}", remedy))

    def text(self, settings: Mapping[str, Json], key: str, place: str) -> str:
        """
        Returns the string at ``key``, or '' if the key is absent. Go refuses the whole configuration if the value has another
        type.
        """
        value = member(settings, key)
        if value is not None and not isinstance(value, str):
            self.refuse(f"{place}.{key}", f"is {shown(value)}, not a string", "Write a string.")
        return text_of(value)

    def items(self, settings: Mapping[str, Json], key: str, place: str) -> list[Json]:
        """Returns the list at ``key``, or an empty list if the key is absent."""
        value = member(settings, key)
        if value is not None and not isinstance(value, list):
            self.refuse(f"{place}.{key}", f"is {shown(value)}, not a list", "Write a list.")
        return value if isinstance(value, list) else []

    def address(self, settings: Mapping[str, Json], key: str, place: str) -> Address | None:
        """
        Returns the address at ``key``, or None. Go parses such an address together with the JSON, so the plugin refuses the
        whole configuration for an invalid address.
        """
        text = self.text(settings, key, place)
        address = address_of(text)
        if text and address is None:
            self.refuse(f"{place}.{key}", f"{shown(text)} is not an IP address", WRITE_ADDRESS)
        return address


def read_ipam(settings: Mapping[str, Json], place: str, at_run_time: frozenset[str]) -> Ipam:
    """Reads the ``ipam`` of a plugin. A pod can request its own addresses through the capabilities in ``at_run_time``."""
    kind = text_of(member(settings, "type"))
    read = _READERS.get(kind)
    return read(settings, place, at_run_time) if read is not None else Ipam(place, kind)


def _whereabouts(settings: Mapping[str, Json], place: str, _at_run_time: frozenset[str]) -> Ipam:
    """A missing range is not a fault, because whereabouts then reads the range from its file on the node."""
    reader = _IpamReader()
    if reader.text(settings, "range", place):
        _whereabouts_range(reader, settings, place, of_ipam=True)
    for index, item in enumerate(reader.items(settings, "ipRanges", place)):
        if isinstance(item, dict):
            _whereabouts_range(reader, item, f"{place}.ipRanges[{index}]", of_ipam=False)
        elif item is not None:
            reader.refuse(f"{place}.ipRanges[{index}]", f"is {shown(item)}, not an object", "Write an object.")
    _whereabouts_gateway(reader, settings, place)
    addresses = _addresses(reader, settings, place, sloppy=True)
    name = text_of(member(settings, "network_name"))
    return Ipam(
        place,
        WHEREABOUTS,
        tuple(reader.pools),
        addresses,
        tuple(reader.refused),
        tuple(reader.doubtful),
        reserves_as=None if member(settings, "enable_overlapping_ranges") is False else name,
        sliced=bool(member(settings, "node_slice_size")),
        open=not reader.pools and not reader.refused,
    )


def _whereabouts_range(reader: _IpamReader, settings: Mapping[str, Json], place: str, *, of_ipam: bool) -> None:
    """Reads one range. whereabouts ignores host bits, and a ``range_start`` or ``range_end`` outside of the range."""
    at, text = f"{place}.range", reader.text(settings, "range", place)
    start: Address | None
    end: Address | None
    begin, dash, cidr = text.partition("-")
    interface = interface_of(cidr if dash else text, sloppy=True)
    if interface is None:
        reader.refuse(at, f"{shown(text)} is not a range", "Write the range as 10.1.1.0/24.")
        return
    address, network = interface
    if dash:
        start, end = address_of(begin, sloppy=True), address
        if start is None or start not in network:
            what = f"{shown(text)} does not begin with an address of {network}"
            reader.refuse(at, what, f"Begin the range with an address of {network}.")
            return
    elif of_ipam:
        start = _lenient(reader, settings, "range_start", place)
        end = _lenient(reader, settings, "range_end", place)
    else:
        start, end = reader.address(settings, "range_start", place), reader.address(settings, "range_end", place)
    if network.max_prefixlen - network.prefixlen < 2:
        what = f"{network} has no address to assign: whereabouts never uses the first and the last address"
        reader.refuse(at, what, USE_LARGER)
        return
    first, last = int(network.network_address) + 1, int(network.broadcast_address) - 1
    if start is not None and start not in network:
        reader.doubt(
            f"{place}.range_start", f"{start} is outside {network} and is ignored", f"Write an address of {network}."
        )
    elif start is not None:
        first = int(start) if first <= int(start) <= last else first
    if end is not None and (end not in network or int(end) < first):
        what = f"{end} is outside {network} or before the start and is ignored"
        reader.doubt(f"{place}.range_end", what, f"Write an address of {network} after the start.")
    elif end is not None:
        last = min(last, int(end))
    pool = Pool(at, network, first, last, _excluded(reader, settings, place, network, first, last))
    if not pool.size:
        reader.refuse(f"{place}.exclude", f"leaves no address of {network}", "Exclude fewer addresses.")
    else:
        reader.pools.append(pool)


def _lenient(reader: _IpamReader, settings: Mapping[str, Json], key: str, place: str) -> Address | None:
    text = reader.text(settings, key, place)
    address = address_of(text, sloppy=True)
    if text and address is None:
        reader.doubt(f"{place}.{key}", f"{shown(text)} is not an IP address and is ignored", WRITE_ADDRESS)
    return address


def _excluded(
    reader: _IpamReader, settings: Mapping[str, Json], place: str, network: Network, first: int, last: int
) -> tuple[tuple[int, int], ...]:
    """Returns the excluded networks and addresses as merged spans between ``first`` and ``last``."""
    spans: list[tuple[int, int]] = []
    for index, item in enumerate(reader.items(settings, "exclude", place)):
        at = f"{place}.exclude[{index}]"
        excluded = network_of(text_of(item))
        if excluded is None:
            reader.refuse(at, f"{shown(item)} is neither a range nor an IP address", "Write 10.1.1.0/28 or 10.1.1.7.")
        elif excluded.version != network.version or not excluded.overlaps(network):
            what = f"{shown(item)} is outside {network} and excludes nothing"
            reader.doubt(at, what, f"Exclude addresses of {network}, or remove the entry.")
        else:
            low, high = int(excluded.network_address), int(excluded.broadcast_address)
            if low <= last and high >= first:
                spans.append((max(low, first), min(high, last)))
    merged: list[tuple[int, int]] = []
    for low, high in sorted(spans):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)


def _whereabouts_gateway(reader: _IpamReader, settings: Mapping[str, Json], place: str) -> None:
    """whereabouts accepts a gateway outside the range, and can assign the gateway's address to a pod."""
    at, text = f"{place}.gateway", reader.text(settings, "gateway", place)
    gateway = address_of(text, sloppy=True)
    if text and gateway is None:
        reader.refuse(at, f"{shown(text)} is not an IP address", WRITE_ADDRESS)
    elif gateway is not None and reader.pools:
        around = [pool for pool in reader.pools if gateway in pool.network]
        if not around:
            network = reader.pools[0].network
            reader.doubt(at, f"{gateway} is outside {network}: no pod can reach it", f"Write an address of {network}.")
        elif any(pool.gives(int(gateway)) for pool in around):
            reader.doubt(at, f"{gateway} is among the addresses for pods", f"Add {gateway} to exclude.")


def _addresses(reader: _IpamReader, settings: Mapping[str, Json], place: str, *, sloppy: bool) -> int:
    """Returns the number of fixed addresses. Each fixed address needs a prefix length."""
    listed = reader.items(settings, "addresses", place)
    for index, item in enumerate(listed):
        at = f"{place}.addresses[{index}]"
        if not isinstance(item, dict):
            reader.refuse(at, f"is {shown(item)}, not an object", "Write an object.")
            continue
        text = reader.text(item, "address", at)
        if interface_of(text, sloppy=sloppy) is None:
            message = f"{shown(text)} is not an address with a prefix length"
            reader.refuse(f"{at}.address", message, "Write the address with its prefix length, such as 10.1.1.5/24.")
        reader.address(item, "gateway", at)
    return len(listed)


def _static(settings: Mapping[str, Json], place: str, at_run_time: frozenset[str]) -> Ipam:
    """If a pod can request its own addresses, these addresses replace the listed addresses, which are then not read."""
    if "ips" in at_run_time:
        return Ipam(place, STATIC, open=True)
    reader = _IpamReader()
    count = _addresses(reader, settings, place, sloppy=False)
    return Ipam(place, STATIC, addresses=count, refused=tuple(reader.refused))


def _host_local(settings: Mapping[str, Json], place: str, at_run_time: frozenset[str]) -> Ipam:
    """host-local refuses host bits and other faults that whereabouts ignores."""
    reader = _IpamReader()
    sets: list[list[Pool]] = []
    written = False
    if reader.text(settings, "subnet", place):
        written = True
        sets.append(_host_local_set(reader, [settings], [place]))
    for index, item in enumerate(reader.items(settings, "ranges", place)):
        written = True
        at = f"{place}.ranges[{index}]"
        if not isinstance(item, list):
            reader.refuse(at, f"is {shown(item)}, not a list of ranges", 'Write a list of ranges: [[{"subnet": …}]].')
        elif not item:
            reader.refuse(at, "has no range", "Add a range, or remove the empty list.")
        else:
            sets.append(_host_local_set(reader, item, [f"{at}[{inner}]" for inner in range(len(item))]))
    if not written and "ipRanges" not in at_run_time and not reader.refused:
        reader.refuse(place, "has neither subnet nor ranges", 'Write `"subnet": "10.1.1.0/24"`.')
    filled = [pools for pools in sets if pools]  # MAX_PAIRS counts pairs of pools, and empty sets have no pools
    _refuse_overlap(reader, ((a, b) for one, other in combinations(filled, 2) for a in one for b in other))
    pools = tuple(pool for pools_of_set in sets for pool in pools_of_set)
    doubtful = _host_local_gateway(settings, place, pools)
    return Ipam(place, HOST_LOCAL, pools, 0, tuple(reader.refused), doubtful, open="ipRanges" in at_run_time)


def _host_local_set(reader: _IpamReader, ranges: list[Json], places: list[str]) -> list[Pool]:
    pools = []
    for item, place in zip(ranges, places, strict=True):
        if not isinstance(item, dict):
            reader.refuse(place, f"is {shown(item)}, not an object", "Write an object.")
        elif (pool := _host_local_range(reader, item, place)) is not None:
            pools.append(pool)
    if len({pool.network.version for pool in pools}) > 1:
        reader.refuse(
            places[0],
            "and the other ranges of the list mix IPv4 and IPv6",
            "Write one list of ranges for each IP family.",
        )
    _refuse_overlap(reader, combinations(pools, 2))
    return pools


def _host_local_range(reader: _IpamReader, settings: Mapping[str, Json], place: str) -> Pool | None:
    at, text = f"{place}.subnet", reader.text(settings, "subnet", place)
    interface = interface_of(text)
    start, end = reader.address(settings, "rangeStart", place), reader.address(settings, "rangeEnd", place)
    reader.address(settings, "gateway", place)
    if interface is None:
        reader.refuse(at, f"{shown(text)} is not a subnet", "Write the subnet as 10.1.1.0/24.")
        return None
    address, network = interface
    if network.max_prefixlen - network.prefixlen < 2:
        reader.refuse(at, f"{network} is too small: host-local needs four addresses or more", USE_LARGER)
        return None
    if address != network.network_address:
        reader.refuse(at, f"{shown(text)} has host bits", f"Write {network}.")
        return None
    first, last = int(network.network_address) + 1, int(network.broadcast_address) - (network.version == 4)
    if start is not None and start not in network:
        reader.refuse(f"{place}.rangeStart", f"{start} is outside {network}", f"Write an address of {network}.")
        return None
    first = int(start) if start is not None else first
    if end is not None and (end not in network or int(end) < first):
        what = f"{end} is outside {network} or before rangeStart"
        reader.refuse(f"{place}.rangeEnd", what, f"Write an address of {network} that is not before rangeStart.")
        return None
    return Pool(at, network, first, int(end) if end is not None else last)


def _refuse_overlap(reader: _IpamReader, pairs: Iterable[tuple[Pool, Pool]]) -> None:
    for one, other in islice(pairs, MAX_PAIRS):
        if one.overlaps(other):
            what = f"{other.network} overlaps {one.place} {one.network}"
            reader.refuse(other.place, what, "Change or remove one of the two ranges.")


def _host_local_gateway(settings: Mapping[str, Json], place: str, pools: tuple[Pool, ...]) -> tuple[Fault, ...]:
    """Checks the gateway of ``subnet``. host-local accepts any address as the gateway."""
    gateway, at = address_of(text_of(member(settings, "gateway"))), f"{place}.gateway"
    mine = next((pool for pool in pools if pool.place == f"{place}.subnet"), None)
    if gateway is None or mine is None or gateway in mine.network:
        return ()
    what = f"{at} {gateway} is outside {mine.network}: no pod can reach it"
    return (Fault(at, what, f"Write an address of {mine.network}."),)


_READERS: Mapping[str, Callable[[Mapping[str, Json], str, frozenset[str]], Ipam]] = {
    WHEREABOUTS: _whereabouts,
    HOST_LOCAL: _host_local,
    STATIC: _static,
}
