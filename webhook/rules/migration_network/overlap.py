"""Another network might assign the same addresses as the migration network."""

from collections.abc import Iterator

from webhook.cni.migration_network import colliding
from webhook.facts.network import NetworkFacts
from webhook.rules.example import nad
from webhook.rules.migration_network._network import MACVLAN, NAMED, WHEREABOUTS_GUIDE, addressed
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation

_RANGE = '"type": "whereabouts", "range": "10.1.1.0/24"'
_OWN = addressed(_RANGE)


def other(ipam: str) -> object:
    return nad("storage", f'{{{MACVLAN}, "ipam": {{{ipam}}}}}')


def check(facts: NetworkFacts) -> Iterator[Outcome]:
    collisions = list(colliding(facts))
    if collisions:
        pool, neighbour, other_pool = collisions[0]
        more = f" and {len(collisions) - 1} more" if len(collisions) > 1 else ""
        message = f"{pool.place} {pool.network} overlaps {other_pool.network} of network {neighbour.name}{more}"
        yield Violation(facts.path, message, "overlap")


RULE = Rule(
    id="LM714",
    name="migration-range-overlaps",
    about=About.NETWORK,
    severity=Severity.WARNING,
    summary="Another network might assign the same addresses as the migration network.",
    rationale=(
        "If both networks share a link, virt-handler can get an address that a VM already has. Only whereabouts "
        "prevents this, for its own networks with the same network_name, if enable_overlapping_ranges is on."
    ),
    remediation="Use a dedicated range for the migration network, or exclude the addresses that the other network uses.",
    source="whereabouts v0.9.4 pkg/storage/kubernetes/ipam.go (OverlappingRangeIPReservation)",
    reference=WHEREABOUTS_GUIDE,
    check=check,
    examples=(
        Example("another range", _OWN, world=(NAMED, other('"type": "host-local", "subnet": "10.1.2.0/24"'))),
        Example("two whereabouts networks", _OWN, world=(NAMED, other(_RANGE))),
        Example("no other networks provided", _OWN, world=(NAMED,)),
        Example(
            "whereabouts without enable_overlapping_ranges",
            _OWN,
            world=(NAMED, other(f'{_RANGE}, "enable_overlapping_ranges": false')),
            violates=("config",),
        ),
        Example(
            "host-local with the same range",
            _OWN,
            world=(NAMED, other('"type": "host-local", "subnet": "10.1.1.0/24"')),
            violates=("config",),
        ),
        Example(
            "whereabouts with another network_name",
            _OWN,
            world=(NAMED, other(f'{_RANGE}, "network_name": "storage"')),
            violates=("config",),
        ),
    ),
)
