"""A CNI configuration names a plugin, or a list of them."""

from collections.abc import Iterator

from webhook.facts.network import CniConfig, NetworkFacts
from webhook.rules.migration_network._network import CNI_SPECIFICATION, addressed, config
from webhook.rules.rule import About, Example, Outcome, Rule, Violation


def check(facts: NetworkFacts) -> Iterator[Outcome]:
    if isinstance(facts.config, CniConfig):
        for fault in facts.config.malformed:
            yield Violation(facts.path, fault.message, fault.message)


RULE = Rule(
    id="LM702",
    name="network-config-malformed",
    about=About.NETWORK,
    summary="The configuration of the network has not the shape of a CNI configuration.",
    rationale="Multus runs the program that `type` names, or one after another those under `plugins`. Without one it gives up.",
    remediation="Write `type` (and `ipam` as an object) beside `name` and `cniVersion`, or a list of such objects as `plugins`.",
    source="multus-cni v4.3.0 pkg/types/conf.go LoadDelegateNetConf; libcni v1.3.0 libcni/conf.go",
    reference=CNI_SPECIFICATION,
    check=check,
    examples=(
        Example("one plugin", addressed('"type": "dhcp"')),
        Example("a list of plugins", config('"name": "a", "plugins": [{"type": "bridge"}, {"type": "tuning"}]')),
        Example("a plugin that nobody here knows", config('"type": "some-vendor", "ipam": {"type": "some-vendor"}')),
        Example("no plugin", config('"name": "a", "cniVersion": "0.3.1"'), violates=("config",)),
        Example("an empty list", config('"name": "a", "plugins": []'), violates=("config",)),
        Example("a plugin without a type", config('"plugins": [{"master": "eth1"}]'), violates=("config",)),
        Example("ipam as a word", config('"type": "macvlan", "ipam": "whereabouts"'), violates=("config",)),
        Example("a version as a number", config('"type": "macvlan", "cniVersion": 0.3'), violates=("config",)),
    ),
)
