"""Earlier KubeVirt releases used ports 49152 and 49153 for live migration."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.rules.cel import Cel, bounded, printable
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Violation

MIGRATION_PORTS = (49152, 49153)
"""libvirt's ports for memory and block copy. Since KubeVirt 0.48, these ports are only labels of unix sockets."""
_NETWORK = "networks: [{name: default, pod: {}}]"
_RESERVED = "which KubeVirt's guide reserves for live migration"


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    for index, interface in enumerate(facts.interfaces):
        if interface.masquerade is None:
            continue
        for at, port in enumerate(interface.ports or ()):
            if port.port in MIGRATION_PORTS:
                yield Violation(
                    facts.at("domain", "devices", "interfaces", index, "ports", at),
                    f"masquerade interface {interface.name!r} lists port {port.port}, {_RESERVED}",
                    f"interface {interface.name} port {port.port}",
                )
        for at, span in enumerate(interface.port_ranges or ()):
            ports = [str(port) for port in MIGRATION_PORTS if span.start <= port <= span.end]
            if ports:
                yield Violation(
                    facts.at("domain", "devices", "interfaces", index, "portRanges", at),
                    f"masquerade interface {interface.name!r} lists ports {span.start} to {span.end}, including "
                    f"{' and '.join(ports)}, {_RESERVED}",
                    f"interface {interface.name} portRange {span.start}-{span.end}",
                )


CEL = (
    *(
        Cel(
            among="portedInterfaces",
            path="domain.devices.interfaces[{variables.interfaces.indexOf(it)}]"
            f".ports[{{it.ports.map(port, port.port).indexOf({port})}}]",
            message=f"masquerade interface '{{{printable('it.name')}}}' lists port {port}, {_RESERVED}",
            identity=f"interface {{{bounded('it.name')}}} port {port}",
            violates=f"it.?ports.orValue([]).exists(port, port.port == {port})",
        )
        for port in MIGRATION_PORTS
    ),
    Cel(
        among="portRanges",
        path="domain.devices.interfaces[{it[0]}].portRanges[{dyn(variables.interfaces[int(it[0])]).portRanges"
        ".map(range, [string(range.start), string(range.end)]).indexOf([it[1], it[2]])}]",
        message=f"masquerade interface '{{{printable('it[3]')}}}' lists ports {{it[1]}} to {{it[2]}}, including {{"
        + "({} + {}).join(' and ')".format(
            *(f"(int(it[1]) <= {port} && {port} <= int(it[2]) ? ['{port}'] : [])" for port in MIGRATION_PORTS)
        )
        + f"}}, {_RESERVED}",
        identity=f"interface {{{bounded('it[3]')}}} portRange {{it[1]}}-{{it[2]}}",
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
        "KubeVirt's guide reserves these two ports for live migration. Current releases use unix sockets for a live "
        "migration and do not check the ports. The rule is on Migratable's fixed list and is not KubeVirt's own verdict."
    ),
    remediation=(
        "Remove ports 49152 and 49153 from `ports` and `portRanges`, or leave both lists empty. Empty lists forward all ports."
    ),
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
            "an empty list",
            f"{{domain: {{devices: {{interfaces: [{{name: default, masquerade: {{}}, ports: []}}]}}}}, {_NETWORK}}}",
        ),
        Example(
            "one of the ports",
            "{domain: {devices: {interfaces: [{name: default, masquerade: {}, ports: [{port: 22}, {port: 49152}]}]}}, "
            f"{_NETWORK}}}",
            violates=("domain.devices.interfaces[0].ports[1]",),
        ),
        Example(
            "both ports",
            "{domain: {devices: {interfaces: [{name: default, masquerade: {}, ports: [{port: 49152}, {port: 49153}]}]}}, "
            f"{_NETWORK}}}",
            violates=("domain.devices.interfaces[0].ports[0]", "domain.devices.interfaces[0].ports[1]"),
        ),
        Example(
            "a range with both ports (1.9)",
            "{domain: {devices: {interfaces: [{name: default, masquerade: {}, "
            f"portRanges: [{{protocol: TCP, start: 49000, end: 49200}}]}}]}}}}, {_NETWORK}}}",
            violates=("domain.devices.interfaces[0].portRanges[0]",),
        ),
        Example(
            "a range below the ports (1.9)",
            "{domain: {devices: {interfaces: [{name: default, masquerade: {}, "
            f"portRanges: [{{protocol: TCP, start: 49000, end: 49151}}]}}]}}}}, {_NETWORK}}}",
        ),
        Example(
            "one of the ports with bridge binding on another network",
            "{domain: {devices: {interfaces: [{name: red, bridge: {}, ports: [{port: 49152}]}]}}, "
            "networks: [{name: red, multus: {networkName: red}}]}",
        ),
    ),
)
