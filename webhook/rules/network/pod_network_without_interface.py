"""From 1.8 on, KubeVirt migrates a VM with a pod network only if an interface uses that network."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.kubevirt.releases import Reason, Release, since
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Violation

_UNUSED = (
    "{domain: {devices: {interfaces: [{name: red, bridge: {}}]}}, "
    "networks: [{name: default, pod: {}}, {name: red, multus: {networkName: red}}]}"
)


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    network = facts.pod_network
    if network is not None and facts.pod_interface is None and facts.interfaces:
        yield Violation(
            network.path,
            f"pod network {network.value.name!r} has no interface of the same name, so KubeVirt 1.8 and later cannot "
            "live-migrate the VM",
            f"network {network.value.name}",
        )


RULE = Rule(
    id="LM104",
    name="pod-network-without-interface",
    about=About.VMI,
    reason=Reason.INTERFACE,
    kubevirt=since(Release(1, 8)),
    summary="The VM lists a pod network that no interface uses.",
    rationale=(
        "From 1.8 on, KubeVirt looks up the interface of the pod network. KubeVirt does not migrate a VM without this "
        "interface."
    ),
    remediation=(
        "Add `- {name: NETWORK, masquerade: {}}` to domain.devices.interfaces, with the name of the network, or remove the "
        "network."
    ),
    source="pkg/network/vmispec/interface.go VerifyVMIMigratable, v1.8.4",
    reference=MIGRATION_GUIDE,
    check=check,
    examples=(
        Example(
            "an interface for each network",
            "{domain: {devices: {interfaces: [{name: default, masquerade: {}}]}}, networks: [{name: default, pod: {}}]}",
        ),
        Example("a pod network without an interface", _UNUSED, violates=("networks[0]",)),
        Example(
            "an interface with another name",
            "{domain: {devices: {interfaces: [{name: pod, masquerade: {}}]}}, networks: [{name: default, pod: {}}]}",
            violates=("networks[0]",),
        ),
        Example(
            "a pod network without an interface as the second network",
            "{domain: {devices: {interfaces: [{name: red, bridge: {}}]}}, "
            "networks: [{name: red, multus: {networkName: red}}, {name: default, pod: {}}]}",
            violates=("networks[1]",),
        ),
        Example("a pod network without an interface in 1.7", _UNUSED, release="1.7"),
        Example(
            "no pod network",
            "{domain: {devices: {interfaces: [{name: red, bridge: {}}]}}, "
            "networks: [{name: red, multus: {networkName: red}}]}",
        ),
    ),
)
