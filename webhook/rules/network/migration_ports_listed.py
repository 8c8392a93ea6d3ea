"""Ports 49152 and 49153 were once taken by the migration itself."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.rules.cel import Cel, known, shown
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Violation

MIGRATION_PORTS = (49152, 49153)
"""Memory and block copy of libvirt; labels of unix sockets since KubeVirt 0.48."""
_NETWORK = "networks: [{name: default, pod: {}}]"


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    for index, interface in enumerate(facts.interfaces):
        if interface.masquerade is None:
            continue
        for at, port in enumerate(interface.ports or ()):
            if port.port in MIGRATION_PORTS:
                yield Violation(
                    facts.at("domain", "devices", "interfaces", index, "ports", at),
                    f"masquerade interface {interface.name!r} lists port {port.port}, which KubeVirt's guide reserves for "
                    "live migration; KubeVirt itself does not check that and migrates the VM, so profile `exact` lets it pass",
                    f"interface {interface.name} port {port.port}",
                )
        for at, ranged in enumerate(interface.port_ranges or ()):
            hit = [str(port) for port in MIGRATION_PORTS if ranged.start <= port <= ranged.end]
            if hit:
                yield Violation(
                    facts.at("domain", "devices", "interfaces", index, "portRanges", at),
                    f"masquerade interface {interface.name!r} lists ports {ranged.start} to {ranged.end}, which hold "
                    f"{' and '.join(hit)}, reserved for live migration by KubeVirt's guide; KubeVirt itself does not check "
                    "that and migrates the VM, so profile `exact` lets it pass",
                    f"interface {interface.name} portRange {ranged.start}-{ranged.end}",
                )


CEL = (
    *(
        Cel(
            among="portedInterfaces",
            path="domain.devices.interfaces[{variables.interfaces.indexOf(it)}]"
            f".ports[{{it.ports.map(port, port.port).indexOf({port})}}]",
            message=f"masquerade interface '{{{shown('it.name')}}}' lists port {port}, which KubeVirt's guide reserves for live "
            "migration; KubeVirt itself does not check that and migrates the VM, so profile `exact` lets it pass",
            identity=f"interface {{{known('it.name')}}} port {port}",
            violates=f"it.?ports.orValue([]).exists(port, port.port == {port})",
        )
        for port in MIGRATION_PORTS
    ),
    Cel(
        among="portRanges",
        path="domain.devices.interfaces[{it[0]}].portRanges[{dyn(variables.interfaces[int(it[0])]).portRanges"
        ".map(range, [string(range.start), string(range.end)]).indexOf([it[1], it[2]])}]",
        message=f"masquerade interface '{{{shown('it[3]')}}}' lists ports {{it[1]}} to {{it[2]}}, which hold {{"
        + "({} + {}).join(' and ')".format(
            *(f"(int(it[1]) <= {port} && {port} <= int(it[2]) ? ['{port}'] : [])" for port in MIGRATION_PORTS)
        )
        + "}, reserved for live migration by KubeVirt's guide; KubeVirt itself does not check that and migrates the VM, so "
        "profile `exact` lets it pass",
        identity=f"interface {{{known('it[3]')}}} portRange {{it[1]}}-{{it[2]}}",
        violates=" || ".join(f"(int(it[1]) <= {port} && {port} <= int(it[2]))" for port in MIGRATION_PORTS),
    ),
)

RULE = Rule(
    id="LM103",
    name="migration-ports-listed",
    about=About.VMI,
    baseline=True,
    summary="A masquerade interface lists port 49152 or 49153.",
    rationale=(
        "KubeVirt's guide names these two ports as reserved for live migration. Current releases carry migration over "
        "unix sockets and do not check the ports, so this is on Migratable's fixed list and not KubeVirt's own verdict."
    ),
    remediation="Use other port numbers, or leave the list empty: an empty list forwards all ports.",
    source=(
        "no check in v1.0.1 to v1.9.0; history in pkg/network/setup/netpod/masquerade/masquerade.go and "
        "pkg/virt-launcher/virtwrap/live-migration-source.go, v1.9.0"
    ),
    reference=MIGRATION_GUIDE,
    check=check,
    cel=CEL,
    examples=(
        Example(
            "another port",
            f"{{domain: {{devices: {{interfaces: [{{name: default, masquerade: {{}}, ports: [{{port: 22}}]}}]}}}}, {_NETWORK}}}",
        ),
        Example(
            "both ports",
            "{domain: {devices: {interfaces: [{name: default, masquerade: {}, ports: [{port: 49152}, {port: 49153}]}]}}, "
            f"{_NETWORK}}}",
            violates=("domain.devices.interfaces[0].ports[0]", "domain.devices.interfaces[0].ports[1]"),
        ),
        Example(
            "a range around them (1.9)",
            "{domain: {devices: {interfaces: [{name: default, masquerade: {}, "
            f"portRanges: [{{protocol: TCP, start: 49000, end: 49200}}]}}]}}}}, {_NETWORK}}}",
            violates=("domain.devices.interfaces[0].portRanges[0]",),
        ),
        Example(
            "the same port on a bridge to another network",
            "{domain: {devices: {interfaces: [{name: red, bridge: {}, ports: [{port: 49152}]}]}}, "
            "networks: [{name: red, multus: {networkName: red}}]}",
        ),
    ),
)
