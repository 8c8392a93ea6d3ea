"""Another network may give out the migration network's addresses too."""

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
    found = list(colliding(facts))
    if found:
        pool, first, met = found[0]
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        message = f"{pool.place} {pool.network} overlaps {met.network} of network {first.name}{more}"
        yield Violation(facts.path, message, "overlap")


RULE = Rule(
    id="LM714",
    name="migration-range-overlaps",
    about=About.NETWORK,
    severity=Severity.WARNING,
    summary="The migration network gives out addresses that another network gives out too.",
    rationale=(
        "If both networks are on the same wire, virt-handler can get an address that a VM already has. whereabouts prevents that "
        "only between its own networks of the same network_name, while enable_overlapping_ranges is on."
    ),
    remediation="Give the migration network a range of its own, or exclude the addresses that the other network uses.",
    source="whereabouts v0.9.4 pkg/storage/kubernetes/ipam.go (OverlappingRangeIPReservation)",
    reference=WHEREABOUTS_GUIDE,
    check=check,
    examples=(
        Example("another range", _OWN, world=(NAMED, other('"type": "host-local", "subnet": "10.1.2.0/24"'))),
        Example("whereabouts keeps both apart", _OWN, world=(NAMED, other(_RANGE))),
        Example(
            "host-local over the same range",
            _OWN,
            world=(NAMED, other('"type": "host-local", "subnet": "10.1.1.0/24"')),
            violates=("config",),
        ),
        Example(
            "whereabouts under another name",
            _OWN,
            world=(NAMED, other(f'{_RANGE}, "network_name": "storage"')),
            violates=("config",),
        ),
    ),
)
