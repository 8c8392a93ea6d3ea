"""A CNI configuration needs a plugin or a list of plugins."""

from collections.abc import Iterator

from webhook.facts.network import CniConfig, NetworkFacts
from webhook.rules.migration_network._network import CNI_SPECIFICATION, addressed, config
from webhook.rules.rule import About, Example, Outcome, Rule, Violation


def check(facts: NetworkFacts) -> Iterator[Outcome]:
    if isinstance(facts.config, CniConfig):
        for fault in facts.config.malformed:
            yield Violation(facts.path, fault.message, fault.message, fault.remedy)


RULE = Rule(
    id="LM702",
    name="network-config-malformed",
    about=About.NETWORK,
    summary="The configuration of the network is not a valid CNI configuration.",
    rationale=(
        "Multus runs the plugin in `type`, or the plugins under `plugins` in order. Without any plugin, Multus fails."
    ),
    remediation="Write `type` (and `ipam` as an object) beside `name` and `cniVersion`, or a list of such objects as `plugins`.",
    source="multus-cni v4.3.0 pkg/types/conf.go LoadDelegateNetConf; libcni v1.3.0 libcni/conf.go",
    reference=CNI_SPECIFICATION,
    check=check,
    examples=(
        Example("one plugin", addressed('"type": "dhcp"')),
        Example("a list of plugins", config('"name": "a", "plugins": [{"type": "bridge"}, {"type": "tuning"}]')),
        Example("an unknown plugin", config('"type": "some-vendor", "ipam": {"type": "some-vendor"}')),
        Example("no plugin", config('"name": "a", "cniVersion": "0.3.1"'), violates=("config",)),
        Example("an empty list", config('"name": "a", "plugins": []'), violates=("config",)),
        Example("a plugin without a type", config('"plugins": [{"master": "eth1"}]'), violates=("config",)),
        Example("ipam as a string", config('"type": "macvlan", "ipam": "whereabouts"'), violates=("config",)),
        Example("a version as a number", config('"type": "macvlan", "cniVersion": 0.3'), violates=("config",)),
    ),
)
