"""Without a master, macvlan and ipvlan use the interface of the default route."""

from collections.abc import Iterator

from webhook.cni.migration_network import first_plugin
from webhook.facts.network import NetworkFacts
from webhook.rules.migration_network._network import NAMED, NETWORK_GUIDE, addressed, config
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation


def check(facts: NetworkFacts) -> Iterator[Outcome]:
    plugin = first_plugin(facts)
    if plugin is not None and plugin.type in {"macvlan", "ipvlan"} and not plugin.master:
        at = plugin.at("master")
        yield Violation(facts.path, f"{at} is missing, so each node uses the interface of its default route", "master")


RULE = Rule(
    id="LM710",
    name="migration-network-without-master",
    about=About.NETWORK,
    severity=Severity.WARNING,
    summary="The migration network does not name an interface of the node.",
    rationale=(
        "A migration network separates migration traffic from pod traffic and API server traffic. The interface of "
        "the default route usually carries pod and API server traffic."
    ),
    remediation="Set `master` to the name of the dedicated interface on every node, for example eth1.",
    source="plugins v1.9.1 plugins/main/macvlan, plugins/main/ipvlan (loadConf)",
    reference=NETWORK_GUIDE,
    check=check,
    examples=(
        Example("a master", addressed('"type": "dhcp"'), world=(NAMED,)),
        Example(
            "no master",
            config('"type": "macvlan", "ipam": {"type": "dhcp"}'),
            world=(NAMED,),
            violates=("config",),
        ),
        Example(
            "an ipvlan without a master",
            config('"type": "ipvlan", "ipam": {"type": "dhcp"}'),
            world=(NAMED,),
            violates=("config",),
        ),
        Example(
            "an empty master",
            config('"type": "macvlan", "master": "", "ipam": {"type": "dhcp"}'),
            world=(NAMED,),
            violates=("config",),
        ),
        Example("a bridge, which has no master", config('"type": "bridge", "ipam": {"type": "dhcp"}'), world=(NAMED,)),
        Example("no master in another network", config('"type": "macvlan", "ipam": {"type": "dhcp"}')),
    ),
)
