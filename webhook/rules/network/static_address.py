"""A CNI annotation fixes the pod's address, but the source and target pods need the address at the same time."""

from collections.abc import Iterator, Mapping

from webhook.facts.migration import MigrationFacts
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation

_REMEDIES = {
    "cni.projectcalico.org/ipAddrs": "Use Calico 3.32 or later with kubeVirtVMAddressPersistence, or remove the annotation.",
    "cni.projectcalico.org/ipAddrsNoIpam": "Remove the annotation, because Calico then does not check for a second pod.",
    "ipam.antrea.io/pod-ips": "Remove the annotation, because Antrea assigns an address to one pod at a time.",
}
_KUBE_OVN = "ovn.kubernetes.io/ip_address"
_SELECTION_KEYS = frozenset(("k8s.v1.cni.cncf.io/networks", "v1.multus-cni.io/default-network"))
_KEEPS = "Use a Kube-OVN release with keep-vm-ip, and write `{}` beside the annotation if that release needs it."


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    for key in sorted(facts.annotations):
        remedy = _remedy(key, facts.annotations)
        if remedy:
            message = (
                f"annotation {key} fixes the pod's address, and the target pod needs the address of the source pod"
            )
            yield Violation(facts.at_annotation(key), message, f"annotation {key}", remedy)
    if _SELECTION_KEYS & facts.annotations.keys():
        yield from _multus(facts)


def _remedy(key: str, annotations: Mapping[str, str]) -> str:
    if key.endswith(_KUBE_OVN):
        allowed = key.replace("ip_address", "allow_live_migration")
        return "" if annotations.get(allowed) == "true" else _KEEPS.format(f'{allowed}: "true"')
    return _REMEDIES.get(key, "")


def _multus(facts: MigrationFacts) -> Iterator[Outcome]:
    """
    Addresses that a pod requests from Multus (``ips``). KubeVirt replaces either annotation if the VM has networks for it. An
    IPAMClaim keeps its addresses for the target pod.
    """
    from webhook.cni.network_selection import DEFAULT_NETWORK, NETWORKS, selections  # noqa: PLC0415 - few VMs have one

    secondary = {bool(network.multus.default) for network in facts.networks if network.multus is not None}
    for key, is_default in ((NETWORKS, False), (DEFAULT_NETWORK, True)):
        for selected in selections(facts.annotations.get(key, "")) if is_default not in secondary else ():
            if selected.addresses and not selected.claim:
                yield Violation(
                    facts.at_annotation(key),
                    f"annotation {key} requests address {selected.addresses[0]!a} from network {selected.name!a}, and the "
                    "target pod needs the address of the source pod",
                    f"annotation {key} network {selected.name}",
                    "Remove `ips`, or use a network that keeps addresses of VMs with an IPAMClaim.",
                )


_SPEC = "{domain: {devices: {interfaces: [{name: default, masquerade: {}}]}}, networks: [{name: default, pod: {}}]}"
_IN_VM = "{runStrategy: Always}"
_AT = "spec.template.metadata.annotations"
RULE = Rule(
    id="LM108",
    name="static-pod-address",
    about=About.VMI,
    severity=Severity.INFO,
    summary="An annotation fixes the IP address of the VM's pod.",
    rationale=(
        "KubeVirt copies the annotation to the target pod while the source pod still has the address. Calico before 3.32 then "
        "reports that the address is already assigned, and the target pod does not start. Kube-OVN keeps VM addresses from "
        "1.9 on, with keep-vm-ip. Multus passes `ips` to the network's plugin for both pods."
    ),
    remediation="Remove the annotation, or use a CNI release that keeps the address of a VM.",
    source=(
        "pkg/virt-controller/services/template.go, v1.9.0; "
        "projectcalico/calico libcalico-go/lib/ipam block assign (Address already assigned in block), #8663 and #11865 "
        "(2026-02); kubeovn/kube-ovn#663, #1439 and #1462 (2022-04); "
        "antrea docs/antrea-ipam.md (2026-08); pkg/network/pod/annotations/generator.go, v1.9.0"
    ),
    reference="https://github.com/projectcalico/calico/pull/11865",
    check=check,
    examples=(
        Example("no such annotation", _SPEC, annotations={"example.com/owner": "web"}),
        Example("a MAC address, which no other pod needs", _SPEC, annotations={"cni.projectcalico.org/hwAddr": "x"}),
        Example(
            "Kube-OVN with live migration allowed",
            _SPEC,
            annotations={_KUBE_OVN: "10.9.0.5", "ovn.kubernetes.io/allow_live_migration": "true"},
        ),
        Example(
            "an address that an IPAMClaim keeps",
            _SPEC,
            annotations={
                "v1.multus-cni.io/default-network": '[{"name": "udn", "ips": ["10.9.0.5/24"], "ipam-claim-reference": "c"}]'
            },
        ),
        Example(
            "an address from Multus, with an annotation that KubeVirt replaces",
            "{domain: {devices: {interfaces: [{name: lan, bridge: {}}]}}, networks: [{name: lan, multus: {networkName: x}}]}",
            annotations={"k8s.v1.cni.cncf.io/networks": '[{"name": "lan", "ips": ["10.9.0.5/24"]}]'},
        ),
        Example(
            "an address from Multus for the pod network",
            _SPEC,
            annotations={"v1.multus-cni.io/default-network": '[{"name": "udn", "ips": ["10.9.0.5/24"]}]'},
            vm_spec=_IN_VM,
            violates=(f"{_AT}[v1.multus-cni.io/default-network]",),
        ),
        Example(
            "an address from Multus for a network that the VM does not list",
            _SPEC,
            annotations={"k8s.v1.cni.cncf.io/networks": '[{"name": "lan", "ips": ["10.9.0.5/24"]}]'},
            vm_spec=_IN_VM,
            violates=(f"{_AT}[k8s.v1.cni.cncf.io/networks]",),
        ),
        Example(
            "an address of Antrea",
            _SPEC,
            annotations={"ipam.antrea.io/pod-ips": "10.9.0.5"},
            vm_spec=_IN_VM,
            violates=(f"{_AT}[ipam.antrea.io/pod-ips]",),
        ),
        Example(
            "an address of Calico",
            _SPEC,
            annotations={"cni.projectcalico.org/ipAddrs": '["10.9.0.5"]'},
            vm_spec=_IN_VM,
            violates=(f"{_AT}[cni.projectcalico.org/ipAddrs]",),
        ),
        Example(
            "an address of Kube-OVN",
            _SPEC,
            annotations={_KUBE_OVN: "10.9.0.5"},
            vm_spec=_IN_VM,
            violates=(f"{_AT}[{_KUBE_OVN}]",),
        ),
        Example(
            "an address of Kube-OVN on a second network",
            _SPEC,
            annotations={f"lan.tenant.{_KUBE_OVN}": "10.9.0.5"},
            vm_spec=_IN_VM,
            violates=(f"{_AT}[lan.tenant.{_KUBE_OVN}]",),
        ),
    ),
)
