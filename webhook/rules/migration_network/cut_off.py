"""The migration network has to lead from node to node."""

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
        why = f"it is not known here whether a {shown(plugin.type)} interface reaches the other nodes"
        yield Undetermined(facts.path, why, "look it up in the plugin's documentation", "type")


RULE = Rule(
    id="LM708",
    name="migration-network-cut-off",
    about=About.NETWORK,
    summary="The migration network's interface does not leave the node.",
    rationale="virt-handler on the old node sends the VM's memory over this interface to virt-handler on the new node.",
    remediation="Use a plugin that puts pods on a wire that all nodes share, such as macvlan in bridge mode on a free interface.",
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
        Example("a dummy interface of another network", config('"type": "dummy", "ipam": {"type": "dhcp"}')),
        Example(
            "a plugin that nobody here knows", config('"type": "some-vendor"'), world=(NAMED,), undetermined=("config",)
        ),
    ),
)
