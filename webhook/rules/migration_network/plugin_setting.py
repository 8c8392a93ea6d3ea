"""A plugin refuses some settings on every node."""

from collections.abc import Iterator

from webhook.facts.network import CniConfig, NetworkFacts
from webhook.rules.migration_network._network import CNI_PLUGINS, MACVLAN, config
from webhook.rules.rule import About, Example, Outcome, Rule, Violation

_DHCP = '"ipam": {"type": "dhcp"}'


def check(facts: NetworkFacts) -> Iterator[Outcome]:
    if isinstance(facts.config, CniConfig):
        for plugin in facts.config.plugins:
            for fault in plugin.refused:
                yield Violation(facts.path, fault.message, fault.message, fault.remedy)


RULE = Rule(
    id="LM705",
    name="plugin-setting-refused",
    about=About.NETWORK,
    summary="The plugin refuses one of its settings.",
    rationale="The plugin fails before it creates an interface, so a pod on this network never starts.",
    remediation="Correct the setting as the plugin's documentation describes.",
    source="plugins v1.9.1 plugins/main/{macvlan,ipvlan,vlan,bridge,host-device}",
    reference=CNI_PLUGINS,
    check=check,
    examples=(
        Example("a macvlan in bridge mode", config(f'{MACVLAN}, "mode": "bridge"')),
        Example("a macvlan in an unknown mode", config(f'{MACVLAN}, "mode": "brigde"'), violates=("config",)),
        Example("an ipvlan without ipam", config('"type": "ipvlan", "master": "eth1"'), violates=("config",)),
        Example("a vlan", config(f'"type": "vlan", "master": "eth1", "vlanId": 5, {_DHCP}')),
        Example("a vlan without master", config(f'"type": "vlan", "vlanId": 5, {_DHCP}'), violates=("config",)),
        Example(
            "a vlan with an invalid tag",
            config(f'"type": "vlan", "master": "eth1", "vlanId": 4095, {_DHCP}'),
            violates=("config",),
        ),
        Example("a host device without a device", config('"type": "host-device"'), violates=("config",)),
        Example("a host device", config('"type": "host-device", "device": "eth1"')),
    ),
)
