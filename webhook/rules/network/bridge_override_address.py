"""The annotation that allows live migration with bridge binding does not keep the address of the VM."""

from collections.abc import Iterator, Mapping

from webhook.cni.attachments import ipams_of
from webhook.facts.target import TargetFacts
from webhook.facts.unknown import Unknown
from webhook.kubevirt.expansion.interfaces import BRIDGE_OVERRIDE as OVERRIDE
from webhook.objects.meta import Json
from webhook.objects.nad import Node
from webhook.rules.example import nad, node
from webhook.rules.network.address_changes import CHANGING
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation

PER_NODE: Mapping[str, str] = {
    "flannel.alpha.coreos.com/backend-type": "Flannel",
    "kube-router.io/pod-cidr": "kube-router",
    "network.cilium.io/ipv4-pod-cidr": "Cilium",
    "io.cilium.network.ipv4-pod-cidr": "Cilium",
}
"""Annotations of nodes by network plugins that give each node a range of its own, so no address can move to another node."""
_KEEPING = ("k8s.ovn.org/", "ovn.kubernetes.io/")
"""Annotations of nodes by OVN-Kubernetes and Kube-OVN, which keep the address of a VM."""


def check(facts: TargetFacts) -> Iterator[Outcome]:
    on_pod = facts.vmi.pod_interface
    if OVERRIDE not in facts.vmi.annotations or on_pod is None:
        return
    if on_pod.value.bridge is None or on_pod.value.masquerade is not None:
        return
    why = _network(facts) if facts.pod_attachment is not None else _plugin(facts)
    if why:
        message = (
            f"the annotation allows live migration with bridge binding, but {why}, and the guest keeps the old address"
        )
        yield Violation(facts.vmi.at_annotation(OVERRIDE), message, f"interface {on_pod.value.name}")


def _network(facts: TargetFacts) -> str:
    attachment = facts.pod_attachment
    if attachment is None or isinstance(attachment.config, Unknown):
        return ""
    changing = next((ipam.type for ipam in ipams_of(attachment.config) if ipam.type in CHANGING), "")
    return f"IPAM {changing} of network {attachment.network!r} gives the target pod another address" if changing else ""


def _plugin(facts: TargetFacts) -> str:
    if isinstance(facts.nodes, Unknown):
        return ""
    plugins = {_plugin_of(one) for one in facts.nodes}
    return f"{plugins.pop()} gives the target pod another address" if len(plugins) == 1 and "" not in plugins else ""


def _plugin_of(one: Node) -> str:
    annotations = one.meta.annotations or {}
    if any(key.startswith(_KEEPING) for key in annotations):
        return ""
    return next((plugin for key, plugin in PER_NODE.items() if key in annotations), "")


def _nodes(*annotations: str) -> tuple[Json, ...]:
    """Two nodes with these annotations."""
    nodes = node("n1"), node("n2")
    for made in nodes:
        made["metadata"]["annotations"] = dict.fromkeys(annotations, "x")
    return nodes


_BRIDGE = "{domain: {devices: {interfaces: [{name: default, bridge: {}}]}}, networks: [{name: default, pod: {}}]}"
_MASQUERADE = _BRIDGE.replace("bridge", "masquerade")
_ALLOWED = {OVERRIDE: ""}
_ON_LAN = {OVERRIDE: "", "v1.multus-cni.io/default-network": "kube-system/lan"}
_FLANNEL = "flannel.alpha.coreos.com/backend-type"
_IN_VM = "{runStrategy: Always}"
_AT = (f"spec.template.metadata.annotations[{OVERRIDE}]",)


def _lan(ipam: str) -> Json:
    return nad("lan", f'{{"cniVersion": "0.3.1", "type": "bridge", "bridge": "br1"{ipam}}}', "kube-system")


RULE = Rule(
    id="LM109",
    name="bridge-override-loses-address",
    about=About.TARGET,
    severity=Severity.WARNING,
    summary="Bridge binding is allowed to migrate, but the target pod gets another address.",
    rationale=(
        "KubeVirt gives the pod's address to the guest with a lease of 999 days, and does not check whether the network "
        "keeps the address. Flannel, kube-router and Cilium give each node its own range. After the migration, the guest "
        "has an address that leads to the old node. OVN-Kubernetes and Kube-OVN keep the address of a VM."
    ),
    remediation="Write `masquerade: {}`, or use a network plugin that keeps the addresses of VMs.",
    source=(
        "pkg/network/dhcp/server/server.go infiniteLease, v1.9.0; pkg/network/vmispec/interface.go VerifyVMIMigratable, v1.9.0; "
        "flannel Documentation/kubernetes.md, kube-router docs/user-guide.md, cilium pkg/annotation/k8s.go (2026-08)"
    ),
    reference="https://kubevirt.io/user-guide/compute/live_migration/#limitations",
    check=check,
    examples=(
        Example("nodes that were not provided", _BRIDGE, annotations=_ALLOWED),
        Example("masquerade binding", _MASQUERADE, annotations=_ALLOWED, world=_nodes(_FLANNEL)),
        Example("no annotation", _BRIDGE, world=_nodes(_FLANNEL)),
        Example("a network plugin that is not known", _BRIDGE, annotations=_ALLOWED, world=_nodes("example.com/x")),
        Example(
            "OVN-Kubernetes, which keeps the address",
            _BRIDGE,
            annotations=_ALLOWED,
            world=_nodes("k8s.ovn.org/node-subnets"),
        ),
        Example(
            "a network without IPAM instead of the cluster's network",
            _BRIDGE,
            annotations=_ON_LAN,
            world=(_lan(""), *_nodes(_FLANNEL)),
        ),
        Example("Flannel", _BRIDGE, annotations=_ALLOWED, vm_spec=_IN_VM, world=_nodes(_FLANNEL), violates=_AT),
        Example(
            "Cilium with a range for each node",
            _BRIDGE,
            annotations=_ALLOWED,
            vm_spec=_IN_VM,
            world=_nodes("network.cilium.io/ipv4-pod-cidr"),
            violates=_AT,
        ),
        Example(
            "whereabouts instead of the cluster's network",
            _BRIDGE,
            annotations=_ON_LAN,
            vm_spec=_IN_VM,
            world=(_lan(', "ipam": {"type": "whereabouts", "range": "10.9.0.0/24"}'),),
            violates=_AT,
        ),
    ),
)
