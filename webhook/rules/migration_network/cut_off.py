"""The migration network must connect the nodes."""

from collections.abc import Iterator

from webhook.cni.migration_network import CUT_OFF, ON_ONE_NODE, REACHING, cut_off, first_plugin
from webhook.facts.network import NetworkFacts
from webhook.objects.shown import shown
from webhook.rules.migration_network._network import NAMED, NETWORK_GUIDE, addressed, config
from webhook.rules.rule import About, Example, Outcome, Rule, Undetermined, Violation


def check(facts: NetworkFacts) -> Iterator[Outcome]:
    for fault in cut_off(facts):
        yield Violation(facts.path, fault.message, "type")
    plugin = first_plugin(facts)
    if plugin is not None and plugin.type not in REACHING | CUT_OFF | ON_ONE_NODE:
        why = f"Migratable does not know whether a {shown(plugin.type)} interface reaches other nodes"
        yield Undetermined(facts.path, why, "check the plugin's documentation", "type")


RULE = Rule(
    id="LM708",
    name="migration-network-cut-off",
    about=About.NETWORK,
    summary="The migration network's interface does not reach other nodes.",
    rationale="virt-handler on the source node sends the VM's memory over this interface to virt-handler on the target node.",
    remediation="Use a plugin that connects pods of all nodes, such as macvlan in bridge mode on a dedicated interface.",
    source="plugins v1.9.1 plugins/main/dummy, plugins/main/loopback",
    reference=NETWORK_GUIDE,
    check=check,
    examples=(
        Example("a macvlan", addressed('"type": "dhcp"'), world=(NAMED,)),
        Example(
            "a dummy interface",
            config('"type": "dummy", "ipam": {"type": "whereabouts", "range": "10.1.1.0/24"}'),
            world=(NAMED,),
            violates=("config",),
        ),
        Example("a loopback interface", config('"type": "loopback"'), world=(NAMED,), violates=("config",)),
        Example(
            "a dummy interface as the first of two plugins",
            config('"plugins": [{"type": "dummy", "ipam": {"type": "dhcp"}}, {"type": "tuning"}]'),
            world=(NAMED,),
            violates=("config",),
        ),
        Example(
            "a vlan", config('"type": "vlan", "master": "eth1", "vlanId": 5, "ipam": {"type": "dhcp"}'), world=(NAMED,)
        ),
        Example("a dummy interface of another network", config('"type": "dummy", "ipam": {"type": "dhcp"}')),
        Example("an unknown plugin", config('"type": "some-vendor"'), world=(NAMED,), undetermined=("config",)),
    ),
)
