"""From 1.8 on a pod network must have its interface."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.kubevirt.releases import Reason, Release, since
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Violation


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    network = facts.pod_network
    if network is not None and facts.pod_interface is None and facts.interfaces:
        yield Violation(
            network.path,
            f"pod network {network.value.name!r} has no interface of the same name",
            f"network {network.value.name}",
        )


RULE = Rule(
    id="LM104",
    name="pod-network-without-interface",
    about=About.VMI,
    reason=Reason.INTERFACE,
    kubevirt=since(Release(1, 8)),
    summary="The pod network is listed, and no interface uses it.",
    rationale="From 1.8 on KubeVirt looks for the pod network's interface and does not migrate a VM where it is missing.",
    remediation="Give the network an interface of the same name with `masquerade: {}`, or remove the network.",
    source="pkg/network/vmispec/interface.go VerifyVMIMigratable, v1.8.4",
    reference=MIGRATION_GUIDE,
    check=check,
    examples=(
        Example(
            "an interface for each network",
            "{domain: {devices: {interfaces: [{name: default, masquerade: {}}]}}, networks: [{name: default, pod: {}}]}",
        ),
        Example(
            "a pod network that no interface uses",
            "{domain: {devices: {interfaces: [{name: red, bridge: {}}]}}, "
            "networks: [{name: default, pod: {}}, {name: red, multus: {networkName: red}}]}",
            violates=("networks[0]",),
        ),
        Example(
            "the same before 1.8",
            "{domain: {devices: {interfaces: [{name: red, bridge: {}}]}}, "
            "networks: [{name: default, pod: {}}, {name: red, multus: {networkName: red}}]}",
            release="1.7",
        ),
    ),
)
