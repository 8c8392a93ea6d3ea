"""An IPAM plugin refuses some ranges and addresses."""

from collections.abc import Iterator

from webhook.cni.attachments import ipams_of
from webhook.facts.network import CniConfig, NetworkFacts
from webhook.rules.migration_network._network import CNI_PLUGINS, addressed
from webhook.rules.rule import About, Example, Outcome, Rule, Violation

_W, _H = '"type": "whereabouts"', '"type": "host-local"'


def check(facts: NetworkFacts) -> Iterator[Outcome]:
    if isinstance(facts.config, CniConfig):
        for ipam in ipams_of(facts.config):
            for fault in ipam.refused:
                yield Violation(facts.path, fault.message, fault.message, fault.remedy)


RULE = Rule(
    id="LM706",
    name="address-range-refused",
    about=About.NETWORK,
    summary="The IPAM plugin cannot assign an address from this configuration.",
    rationale="The IPAM plugin fails for every pod, so a pod on this network never starts.",
    remediation="Write ranges as 10.1.1.0/24. Do not exclude all addresses between start and end.",
    source="whereabouts v0.9.4 pkg/config, pkg/allocate; plugins v1.9.1 plugins/ipam/host-local, plugins/ipam/static",
    reference=CNI_PLUGINS,
    check=check,
    examples=(
        Example("a whereabouts range", addressed(f'{_W}, "range": "10.1.1.0/24"')),
        Example("a whereabouts range with host bits, which it accepts", addressed(f'{_W}, "range": "10.1.1.7/24"')),
        Example(
            "two addresses",
            addressed(f'{_W}, "range": "10.1.1.7-10.1.1.9/24", "exclude": ["10.1.1.8"]'),
        ),
        Example(
            "IPv6 beside IPv4", addressed(f'{_W}, "ipRanges": [{{"range": "10.1.1.0/24"}}, {{"range": "fd00::/64"}}]')
        ),
        Example("no prefix length", addressed(f'{_W}, "range": "10.1.1.0"'), violates=("config",)),
        Example("a prefix length that is too long", addressed(f'{_W}, "range": "10.1.1.0/33"'), violates=("config",)),
        Example("a range that is too small", addressed(f'{_W}, "range": "10.1.1.0/31"'), violates=("config",)),
        Example(
            "every address excluded",
            addressed(f'{_W}, "range": "10.1.1.0/24", "exclude": ["10.1.0.0/16"]'),
            violates=("config",),
        ),
        Example("a host-local subnet", addressed(f'{_H}, "ranges": [[{{"subnet": "10.1.1.0/24"}}]]')),
        Example(
            "host bits, which host-local refuses", addressed(f'{_H}, "subnet": "10.1.1.7/24"'), violates=("config",)
        ),
        Example(
            "a start outside the subnet, which host-local refuses",
            addressed(f'{_H}, "subnet": "10.1.1.0/24", "rangeStart": "10.1.2.5"'),
            violates=("config",),
        ),
        Example(
            "a fixed address without a prefix length",
            addressed('"type": "static", "addresses": [{"address": "10.1.1.5"}]'),
            violates=("config",),
        ),
        Example("an unknown IPAM plugin", addressed('"type": "some-vendor", "range": "pool-a"')),
    ),
)
