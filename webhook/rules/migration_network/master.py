"""Without a master, macvlan and ipvlan choose the interface of the default route."""

from collections.abc import Iterator

from webhook.cni.migration_network import first_plugin
from webhook.facts.network import NetworkFacts
from webhook.rules.migration_network._network import NAMED, NETWORK_GUIDE, addressed, config
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation


def check(facts: NetworkFacts) -> Iterator[Outcome]:
    plugin = first_plugin(facts)
    if plugin is not None and plugin.type in {"macvlan", "ipvlan"} and not plugin.master:
        at = plugin.at("master")
        yield Violation(
            facts.path, f"{at} is missing: each node then uses the interface of its default route", "master"
        )


RULE = Rule(
    id="LM710",
    name="migration-network-without-master",
    about=About.NETWORK,
    severity=Severity.WARNING,
    summary="The migration network does not say which interface of the node it uses.",
    rationale=(
        "A migration network is there to keep migrations off the wire that pods and the API server use. The interface of the "
        "default route is mostly just that wire."
    ),
    remediation="Write `master` with the name that the dedicated interface has on every node, for example eth1.",
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
        Example("no master in another network", config('"type": "macvlan", "ipam": {"type": "dhcp"}')),
    ),
)
