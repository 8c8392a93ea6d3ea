"""Bridge binding gives the guest the IP address of its pod, and the target pod of a migration has another address."""

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
from webhook.rules.cel import Cel, bounded, printable
from webhook.rules.example import kubevirt
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Undetermined, Violation

_BRIDGE = "{domain: {devices: {interfaces: [{name: default, bridge: {}}]}}, networks: [{name: default, pod: {}}]}"
_BRIDGE_AND_PLUGIN = (
    "{domain: {devices: {interfaces: [{name: default, bridge: {}, binding: {name: x}}]}}, "
    "networks: [{name: default, pod: {}}]}"
)
_LIST_INTERFACE = (
    "Write `interfaces: [{name: default, masquerade: {}}]` under domain.devices, and `networks: [{name: default, pod: {}}]` "
    "beside domain."
)
_MESSAGE = "uses bridge binding on the pod network, so the VM cannot be live-migrated"


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    if isinstance(facts.default_interface, Unknown):
        yield Undetermined(
            facts.at("domain", "devices"),
            "the VM lists no interface, so KubeVirt adds one with the binding that the KubeVirt CR sets "
            f"(bridge by default); {facts.default_interface.why}",
            "write interfaces and networks in the VM, or pass the KubeVirt CR",
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
        why = (
            "the interface has a bridge and a binding plugin, and the plugin might support live migration; "
            f"{plugin.why}"
        )
        yield Undetermined(on_pod.path, why, plugin.settle, f"interface {interface.name}", unsure)
        releases &= ~unsure
    if facts.hidden is not None:
        yield Undetermined(
            on_pod.path,
            f"interface {interface.name!r} uses bridge binding on the pod network, and an annotation might allow live "
            f"migration; {facts.hidden.why}",
            facts.hidden.settle,
            f"interface {interface.name}",
            releases=releases,
            unreadable=facts.hidden.unreadable,
        )
        return
    message, remedy = f"interface {interface.name!r} {_MESSAGE}", ""
    if facts.default_interface == "bridge":
        message, remedy = f"the VM lists no interface, and the interface that KubeVirt adds {_MESSAGE}", _LIST_INTERFACE
    yield Violation(on_pod.path, message, f"interface {interface.name} bridge", remedy, releases)


RULE = Rule(
    id="LM101",
    name="bridge-on-pod-network",
    about=About.VMI,
    reason=Reason.INTERFACE,
    baseline=True,
    summary="An interface on the pod network uses bridge binding.",
    rationale=(
        "With bridge binding, the guest has the IP address of its pod. A live migration starts a second pod with another "
        "address on the target node, so the guest would lose its network. If the guest can take a new address by itself, "
        f"annotation {OVERRIDE} on the VMI allows the live migration. KubeVirt ignores the annotation's value."
    ),
    remediation="Write `masquerade: {}` instead of `bridge: {}` for that interface.",
    source="pkg/network/vmispec/interface.go VerifyVMIMigratable, v1.9.0; pkg/network/vmispec/defaults.go, v1.9.0",
    reference=MIGRATION_GUIDE,
    check=check,
    cel=(
        Cel(
            among="podInterface",
            path="domain.devices.interfaces[{variables.interfaces.indexOf(it)}]",
            message=f"interface '{{{printable('it.name')}}}' {_MESSAGE}",
            identity=f"interface {{{bounded('it.name')}}} bridge",
            violates="has(it.bridge) && !has(it.masquerade)",
            unsure_in=PLUGIN_MIGRATION | PASST_BINDING,
            certain="!variables.podInterface.exists(it, has(it.binding) || dyn(it).?passtBinding.hasValue())",
        ),
    ),
    examples=(
        Example(
            "masquerade binding on the pod network",
            "{domain: {devices: {interfaces: [{name: default, masquerade: {}}]}}, networks: [{name: default, pod: {}}]}",
        ),
        Example("bridge binding on the pod network", _BRIDGE, violates=("domain.devices.interfaces[0]",)),
        Example(
            "bridge binding on a Multus network",
            "{domain: {devices: {interfaces: [{name: red, bridge: {}}]}}, "
            "networks: [{name: red, multus: {networkName: red}}]}",
        ),
        Example("bridge binding with the annotation that allows it", _BRIDGE, annotations={OVERRIDE: ""}),
        Example(
            "no interface, and a KubeVirt CR without a default binding",
            "{domain: {devices: {}}}",
            world=(kubevirt(),),
            violates=("domain.devices",),
        ),
        Example(
            "no interface, and a KubeVirt CR whose default is masquerade",
            "{domain: {devices: {}}}",
            world=(kubevirt(network={"defaultNetworkInterface": "masquerade"}),),
        ),
        Example(
            "no interface, and a KubeVirt CR that was not provided",
            "{domain: {devices: {}}}",
            undetermined=("domain.devices",),
        ),
        Example(
            "bridge binding beside a binding plugin in 1.7: only the fixed list refuses it",
            _BRIDGE_AND_PLUGIN,
            world=(kubevirt(network={"binding": {"x": {"migration": {}}}}),),
            violates=("domain.devices.interfaces[0]",),
            release="1.7",
        ),
        Example(
            "bridge binding beside a binding plugin in 1.8 and later, which ignore the plugin",
            _BRIDGE_AND_PLUGIN,
            world=(kubevirt(network={"binding": {"x": {"migration": {}}}}),),
            violates=("domain.devices.interfaces[0]",),
        ),
        Example(
            "bridge binding beside a binding plugin in 1.7, and a KubeVirt CR that was not provided",
            _BRIDGE_AND_PLUGIN,
            violates=("domain.devices.interfaces[0]",),
            undetermined=("domain.devices.interfaces[0]",),
            release="1.7",
        ),
        Example(
            "bridge binding, and an instancetype that was not provided",
            _BRIDGE,
            vm_spec="{instancetype: {name: small}}",
            undetermined=("spec.template.spec.domain.devices.interfaces[0]",),
        ),
    ),
)
