"""On the pod network only some bindings survive the move to another pod."""

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
            f"whether {_binding(interface)} supports migration stands in the KubeVirt CR; {plugin.why}",
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
            f"interface {interface.name!r} has no binding, and whether a preference gives it one cannot be told: "
            f"{facts.hidden.why}",
            facts.hidden.settle,
            subject,
            releases=refused,
            unreadable=facts.hidden.unreadable,
        )
        return
    yield Violation(on_pod.path, _said(interface), f"{subject} {_binding(interface)}", releases=refused)


def _binding(interface: Interface) -> str:
    if interface.binding is not None:
        return f"binding plugin {interface.binding.name!r}"
    named = {
        "passtBinding": interface.passt_binding,
        "passt": interface.passt,
        "slirp": interface.slirp,
        "sriov": interface.sriov,
        "macvtap": interface.macvtap,
    }
    return next((name for name, value in named.items() if value is not None), "no binding")


def _said(interface: Interface) -> str:
    binding = _binding(interface)
    if interface.binding is not None:
        return (
            f"interface {interface.name!r} on the pod network uses {binding}, which the KubeVirt CR does not register "
            "as able to migrate"
        )
    if binding == "passtBinding":
        return f"interface {interface.name!r} on the pod network uses passtBinding, which exists from KubeVirt 1.8 on"
    return f"interface {interface.name!r} on the pod network has {binding}, which cannot move to another pod"


RULE = Rule(
    id="LM102",
    name="unmovable-binding-on-pod-network",
    about=About.VMI,
    reason=Reason.INTERFACE,
    summary="An interface on the pod network is bound in a way that cannot move to another pod.",
    rationale=(
        "On the pod network KubeVirt migrates masquerade, passtBinding (1.8 and later), and binding plugins that the "
        "KubeVirt CR registers with `migration`. Everything else, also no binding at all, ties the guest to its pod."
    ),
    remediation=(
        "Write `masquerade: {}` for that interface, or ask the platform team to register the binding plugin with `migration` "
        "in the KubeVirt CR, if the plugin can migrate."
    ),
    source="pkg/network/vmispec/interface.go VerifyVMIMigratable, v1.2.2 and v1.9.0",
    reference=MIGRATION_GUIDE,
    check=check,
    examples=(
        Example(
            "passtBinding, as of 1.8",
            f"{{domain: {{devices: {{interfaces: [{{name: default, passtBinding: {{}}}}]}}}}, {_ON_POD}}}",
        ),
        Example(
            "passtBinding in 1.7, where the field does not exist",
            f"{{domain: {{devices: {{interfaces: [{{name: default, passtBinding: {{}}}}]}}}}, {_ON_POD}}}",
            violates=("domain.devices.interfaces[0]",),
            release="1.7",
        ),
        Example(
            "no binding",
            f"{{domain: {{devices: {{interfaces: [{{name: default}}]}}}}, {_ON_POD}}}",
            violates=("domain.devices.interfaces[0]",),
            release="1.8",
        ),
        Example(
            "a plugin that can migrate",
            f"{{domain: {{devices: {{interfaces: [{{name: default, binding: {{name: x}}}}]}}}}, {_ON_POD}}}",
            world=(kubevirt(network={"binding": {"x": {"migration": {}}}}),),
        ),
        Example(
            "a plugin that cannot",
            f"{{domain: {{devices: {{interfaces: [{{name: default, binding: {{name: x}}}}]}}}}, {_ON_POD}}}",
            world=(kubevirt(network={"binding": {"x": {"networkAttachmentDefinition": "a/b"}}}),),
            violates=("domain.devices.interfaces[0]",),
        ),
        Example(
            "a plugin, and nobody showed us the KubeVirt CR",
            f"{{domain: {{devices: {{interfaces: [{{name: default, binding: {{name: x}}}}]}}}}, {_ON_POD}}}",
            undetermined=("domain.devices.interfaces[0]",),
        ),
    ),
)
