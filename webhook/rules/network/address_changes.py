"""With bridge binding, the guest keeps the address of the source pod, and the target pod gets another address."""

from collections.abc import Iterator

from webhook.cni.attachments import ipams_of
from webhook.cni.ipam import DHCP, HOST_LOCAL, WHEREABOUTS
from webhook.facts.target import TargetFacts
from webhook.facts.unknown import Unknown
from webhook.objects.meta import Json
from webhook.rules.example import NAMESPACE, nad
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation

CHANGING = {
    WHEREABOUTS: "assigns the target pod another address, and the address that the guest keeps becomes free for another pod",
    HOST_LOCAL: "assigns addresses on each node separately, so the target node can assign the guest's address to another pod",
    DHCP: "requests another address for the target pod, and the address that the guest keeps becomes free for another pod",
}


def check(facts: TargetFacts) -> Iterator[Outcome]:
    for attachment in facts.attachments:
        if isinstance(attachment.config, Unknown):
            continue
        for ipam in ipams_of(attachment.config):
            if ipam.type in CHANGING:
                yield Violation(
                    attachment.path,
                    f"interface {attachment.interface!r} uses network {attachment.network!r}, whose IPAM {ipam.type} "
                    f"{CHANGING[ipam.type]}",
                    f"interface {attachment.interface} ipam",
                )
                break


def _lan(ipam: str, kind: str = "bridge") -> Json:
    return nad("lan", f'{{"cniVersion": "0.3.1", "type": "{kind}", "bridge": "br1"{ipam}}}', NAMESPACE)


_RANGE = ', "ipam": {"type": "whereabouts", "range": "10.9.0.0/24"}'
_LOCAL = ', "ipam": {"type": "host-local", "subnet": "10.9.0.0/24"}'
_ON_LAN = (
    "{domain: {devices: {interfaces: [{name: default, masquerade: {}}, {name: lan, BINDING: {}}]}}, "
    "networks: [{name: default, pod: {}}, {name: lan, multus: {networkName: lan}}]}"
)
_BRIDGE = _ON_LAN.replace("BINDING", "bridge")
_AT = ("domain.devices.interfaces[1]",)
RULE = Rule(
    id="LM107",
    name="address-changes-after-migration",
    about=About.TARGET,
    severity=Severity.WARNING,
    summary="The IPAM plugin of a secondary network assigns the target pod another address.",
    rationale=(
        "With bridge binding, KubeVirt gives the pod's address to the guest by DHCP, with a lease of 999 days. After a live "
        "migration the guest keeps this address, but the IPAM plugin no longer reserves it. Another pod can get the same "
        "address."
    ),
    remediation="Remove `ipam` from the network and assign the address in the guest, or use an IPAM that keeps VM addresses.",
    source=(
        "pkg/network/dhcp/server/server.go infiniteLease, v1.9.0; kubevirt/kubevirt#13709 (whereabouts, 2025-01); plugins "
        "v1.9.1 plugins/ipam/host-local"
    ),
    reference="https://github.com/kubevirt/kubevirt/issues/13709",
    check=check,
    examples=(
        Example("a network without IPAM", _BRIDGE, world=(_lan(""),)),
        Example(
            "SR-IOV, whose guest does not get the pod's address",
            _ON_LAN.replace("BINDING", "sriov"),
            world=(_lan(_RANGE, "sriov"),),
        ),
        Example(
            "a fixed address",
            _BRIDGE,
            world=(_lan(', "ipam": {"type": "static", "addresses": [{"address": "10.9.0.5/24"}]}'),),
        ),
        Example("a network that was not provided", _BRIDGE),
        Example("whereabouts", _BRIDGE, world=(_lan(_RANGE),), violates=_AT),
        Example("host-local", _BRIDGE, world=(_lan(_LOCAL),), violates=_AT),
        Example(
            "whereabouts with OpenShift's bridge plugin", _BRIDGE, world=(_lan(_RANGE, "cnv-bridge"),), violates=_AT
        ),
        Example("dhcp", _BRIDGE, world=(_lan(', "ipam": {"type": "dhcp"}'),), violates=_AT),
    ),
)
