"""KubeVirt can migrate an interface on the pod network only with some bindings."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.facts.unknown import Unknown
from webhook.kubevirt.expansion.interfaces import (
    PLUGIN_MIGRATION,
    has_binding,
    movable_beside_core_bindings,
    plugin_can_migrate,
)
from webhook.kubevirt.releases import KNOWN, Reason
from webhook.objects.vmi import Interface
from webhook.rules.example import kubevirt
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Undetermined, Violation

_ON_POD = "networks: [{name: default, pod: {}}]"
_PLUGIN = f"{{domain: {{devices: {{interfaces: [{{name: default, binding: {{name: x}}}}]}}}}, {_ON_POD}}}"
_NO_BINDING = f"{{domain: {{devices: {{interfaces: [{{name: default}}]}}}}, {_ON_POD}}}"


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    on_pod = facts.pod_interface
    if on_pod is None or on_pod.value.masquerade is not None or on_pod.value.bridge is not None:
        return
    interface, subject = on_pod.value, f"interface {on_pod.value.name}"
    plugin = plugin_can_migrate(facts.configuration, interface.binding.name) if interface.binding is not None else False
    allowed = movable_beside_core_bindings(interface, plugin)
    if isinstance(plugin, Unknown):
        yield Undetermined(
            on_pod.path,
            f"the KubeVirt CR decides whether {_binding(interface)} supports live migration; {plugin.why}",
            plugin.settle or "pass the KubeVirt CR",
            subject,
            releases=PLUGIN_MIGRATION & ~allowed,
        )
        allowed |= PLUGIN_MIGRATION
    refused = KNOWN & ~allowed
    if not refused:
        return
    if facts.hidden is not None and not has_binding(interface):
        yield Undetermined(
            on_pod.path,
            f"interface {interface.name!r} has no binding, and a preference might set one; {facts.hidden.why}",
            facts.hidden.settle,
            subject,
            releases=refused,
            unreadable=facts.hidden.unreadable,
        )
        return
    yield Violation(on_pod.path, _message(interface), f"{subject} {_binding(interface)}", releases=refused)


def _binding(interface: Interface) -> str:
    if interface.binding is not None:
        return f"binding plugin {interface.binding.name!r}"
    bindings = {
        "passtBinding": interface.passt_binding,
        "passt": interface.passt,
        "slirp": interface.slirp,
        "sriov": interface.sriov,
        "macvtap": interface.macvtap,
    }
    return next((name for name, value in bindings.items() if value is not None), "no binding")


def _message(interface: Interface) -> str:
    start, binding = f"interface {interface.name!r} on the pod network has", _binding(interface)
    if interface.binding is not None:
        return f"{start} {binding} without `migration` in the KubeVirt CR, so the VM cannot be live-migrated"
    if binding == "passtBinding":
        return f"{start} passtBinding, which KubeVirt 1.7 and earlier do not know, so they cannot live-migrate the VM"
    return f"{start} {binding}, so the VM cannot be live-migrated"


RULE = Rule(
    id="LM102",
    name="unmovable-binding-on-pod-network",
    about=About.VMI,
    reason=Reason.INTERFACE,
    summary="The binding of an interface on the pod network does not support live migration.",
    rationale=(
        "On the pod network, KubeVirt can migrate masquerade binding, passtBinding (1.8 and later), and binding plugins that "
        "the KubeVirt CR registers with `migration`. With any other binding, or with none, the guest depends on its pod."
    ),
    remediation=(
        "Write `masquerade: {}` for that interface. If it needs a binding plugin that supports live migration, ask the "
        "platform team to register the plugin with `migration: {}` in the KubeVirt CR."
    ),
    source="pkg/network/vmispec/interface.go VerifyVMIMigratable, v1.2.2 and v1.9.0",
    reference=MIGRATION_GUIDE,
    check=check,
    examples=(
        Example(
            "masquerade binding",
            f"{{domain: {{devices: {{interfaces: [{{name: default, masquerade: {{}}}}]}}}}, {_ON_POD}}}",
        ),
        Example(
            "passtBinding in 1.8 and later",
            f"{{domain: {{devices: {{interfaces: [{{name: default, passtBinding: {{}}}}]}}}}, {_ON_POD}}}",
        ),
        Example(
            "passtBinding in 1.7, which does not know the field",
            f"{{domain: {{devices: {{interfaces: [{{name: default, passtBinding: {{}}}}]}}}}, {_ON_POD}}}",
            violates=("domain.devices.interfaces[0]",),
            release="1.7",
        ),
        Example("no binding", _NO_BINDING, violates=("domain.devices.interfaces[0]",), release="1.8"),
        Example(
            "no binding, and a preference that was not provided",
            _NO_BINDING,
            vm_spec="{preference: {name: windows}}",
            undetermined=("spec.template.spec.domain.devices.interfaces[0]",),
        ),
        Example(
            "a binding plugin with `migration` in the KubeVirt CR",
            _PLUGIN,
            world=(kubevirt(network={"binding": {"x": {"migration": {}}}}),),
        ),
        Example(
            "a binding plugin without `migration` in the KubeVirt CR",
            _PLUGIN,
            world=(kubevirt(network={"binding": {"x": {"networkAttachmentDefinition": "a/b"}}}),),
            violates=("domain.devices.interfaces[0]",),
        ),
        Example(
            "a binding plugin, and a KubeVirt CR that was not provided",
            _PLUGIN,
            undetermined=("domain.devices.interfaces[0]",),
        ),
    ),
)
