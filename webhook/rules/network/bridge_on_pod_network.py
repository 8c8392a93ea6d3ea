"""A bridge hands the pod's address to the guest; on another node the pod has another address."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.facts.unknown import Unknown
from webhook.kubevirt.expansion.interfaces import BRIDGE_OVERRIDE as OVERRIDE
from webhook.kubevirt.expansion.interfaces import (
    PASST_BINDING,
    PLUGIN_MIGRATION,
    movable_beside_core_bindings,
    plugin_can_migrate,
)
from webhook.kubevirt.releases import KNOWN, Reason
from webhook.rules.cel import Cel, known, shown
from webhook.rules.example import kubevirt
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Undetermined, Violation


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    if isinstance(facts.default_interface, Unknown):
        yield Undetermined(
            facts.at("domain", "devices"),
            "no interface is listed, so KubeVirt adds one on the pod network, bound as the cluster's KubeVirt CR says "
            f"(bridge, unless it says masquerade); {facts.default_interface.why}",
            "write interfaces and networks yourself, or pass the KubeVirt CR",
            "interface default",
        )
        return
    on_pod = facts.pod_interface
    if on_pod is None or on_pod.value.bridge is None or on_pod.value.masquerade is not None:
        return
    if OVERRIDE in facts.annotations:
        return
    interface = on_pod.value
    plugin = plugin_can_migrate(facts.configuration, interface.binding.name) if interface.binding is not None else False
    releases = KNOWN & ~movable_beside_core_bindings(interface, plugin)
    if isinstance(plugin, Unknown):
        unsure = releases & movable_beside_core_bindings(interface, True)
        why = f"a binding plugin stands beside the bridge, and whether it can migrate stands in the KubeVirt CR; {plugin.why}"
        yield Undetermined(on_pod.path, why, plugin.settle, f"interface {interface.name}", unsure)
        releases &= ~unsure
    if facts.hidden is not None:
        yield Undetermined(
            on_pod.path,
            f"interface {interface.name!r} is bound as a bridge to the pod network, and whether an annotation allows "
            f"that cannot be told: {facts.hidden.why}",
            facts.hidden.settle,
            f"interface {interface.name}",
            releases=releases,
            unreadable=facts.hidden.unreadable,
        )
        return
    if facts.default_interface == "bridge":
        said = "no interface is listed, so KubeVirt adds one bound as a bridge to the pod network"
    else:
        said = f"interface {interface.name!r} is bound as a bridge to the pod network"
    yield Violation(on_pod.path, said, f"interface {interface.name} bridge", releases=releases)


RULE = Rule(
    id="LM101",
    name="bridge-on-pod-network",
    about=About.VMI,
    reason=Reason.INTERFACE,
    baseline=True,
    summary="An interface on the pod network is bound as a bridge.",
    rationale=(
        "A bridge gives the pod's own IP address to the guest. Live migration starts a second pod on another node with "
        "another address, so the guest would lose its network. Where the guest can take a new address by itself, annotation "
        f"{OVERRIDE} on the VMI lets it migrate; KubeVirt looks at its key alone."
    ),
    remediation=(
        "Write `masquerade: {}` instead of `bridge: {}` for that interface (and list it, with network `pod: {}`, if "
        "the VM lists none)."
    ),
    source="pkg/network/vmispec/interface.go VerifyVMIMigratable, v1.9.0; pkg/network/vmispec/defaults.go, v1.9.0",
    reference=MIGRATION_GUIDE,
    check=check,
    cel=(
        Cel(
            among="podInterface",
            path="domain.devices.interfaces[{variables.interfaces.indexOf(it)}]",
            message=f"interface '{{{shown('it.name')}}}' is bound as a bridge to the pod network",
            identity=f"interface {{{known('it.name')}}} bridge",
            violates="has(it.bridge) && !has(it.masquerade)",
            unsure_in=PLUGIN_MIGRATION | PASST_BINDING,
            certain="!variables.podInterface.exists(it, has(it.binding) || dyn(it).?passtBinding.hasValue())",
        ),
    ),
    examples=(
        Example(
            "masquerade on the pod network",
            "{domain: {devices: {interfaces: [{name: default, masquerade: {}}]}}, networks: [{name: default, pod: {}}]}",
        ),
        Example(
            "bridge on the pod network",
            "{domain: {devices: {interfaces: [{name: default, bridge: {}}]}}, networks: [{name: default, pod: {}}]}",
            violates=("domain.devices.interfaces[0]",),
        ),
        Example(
            "bridge on a Multus network",
            "{domain: {devices: {interfaces: [{name: red, bridge: {}}]}}, "
            "networks: [{name: red, multus: {networkName: red}}]}",
        ),
        Example(
            "bridge with the annotation by which KubeVirt allows it",
            "{domain: {devices: {interfaces: [{name: default, bridge: {}}]}}, networks: [{name: default, pod: {}}]}",
            annotations={OVERRIDE: ""},
        ),
        Example(
            "no interface at all, and the cluster's default is bridge",
            "{domain: {devices: {}}}",
            world=(kubevirt(),),
            violates=("domain.devices",),
        ),
        Example(
            "no interface at all, and the cluster's default is masquerade",
            "{domain: {devices: {}}}",
            world=(kubevirt(network={"defaultNetworkInterface": "masquerade"}),),
        ),
        Example(
            "no interface at all, and nobody showed us the KubeVirt CR",
            "{domain: {devices: {}}}",
            undetermined=("domain.devices",),
        ),
    ),
)
