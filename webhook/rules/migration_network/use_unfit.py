"""A network can exist and still be unfit for migrations."""

from collections.abc import Iterator
from itertools import islice

from webhook.cni.migration_network import blocking_faults
from webhook.facts.network import MigrationNetworkFacts, NetworkFacts
from webhook.facts.unknown import Unknown
from webhook.rules.example import nad
from webhook.rules.migration_network._network import MACVLAN, NETWORK_GUIDE, USES, USES_NONE
from webhook.rules.rule import About, Example, Outcome, Rule, Undetermined, Violation

MOST_MESSAGES = 5
_AT = ("configuration.migrations.network",)
_RANGE = '"type": "whereabouts", "range": "10.1.1.0/24"'


def check(facts: MigrationNetworkFacts) -> Iterator[Outcome]:
    if not isinstance(facts.network, NetworkFacts):
        return
    name = facts.network_name
    if isinstance(facts.network.config, Unknown):
        unknown = facts.network.config
        yield Undetermined(facts.path, f"network {name!r}: {unknown.why}", unknown.settle, name)
    for fault in islice(blocking_faults(facts.network), MOST_MESSAGES):
        message = f"network {name!r} is unfit for migrations: {fault.message}"
        remedy = f"Correct the NetworkAttachmentDefinition first. {fault.remedy}" if fault.remedy else ""
        yield Violation(facts.path, message, f"{name} {fault.message}", remedy)


RULE = Rule(
    id="LM718",
    name="unfit-migration-network",
    about=About.MIGRATION_NETWORK,
    summary="The migration network exists but is unfit for migrations.",
    rationale=(
        "virt-handler restarts on every node with this network. The new pod does not start if the interface cannot be "
        "created or gets no address."
    ),
    remediation="Correct the NetworkAttachmentDefinition first. Run `migratable check` on it to see all findings.",
    source="pkg/virt-handler/migration.go FindMigrationIP, v1.9.0; the plugins' sources",
    reference=NETWORK_GUIDE,
    check=check,
    examples=(
        Example("a fit network", USES, world=(nad("migration-network", f'{{{MACVLAN}, "ipam": {{{_RANGE}}}}}'),)),
        Example(
            "a network with dhcp", USES, world=(nad("migration-network", f'{{{MACVLAN}, "ipam": {{"type": "dhcp"}}}}'),)
        ),
        Example("no migration network", USES_NONE),
        Example(
            "an interface that no other node can reach",
            USES,
            world=(nad("migration-network", f'{{"type": "dummy", "ipam": {{{_RANGE}}}}}'),),
            violates=_AT,
        ),
        Example("a network without addresses", USES, world=(nad("migration-network", f"{{{MACVLAN}}}"),), violates=_AT),
        Example(
            "a configuration that is not JSON", USES, world=(nad("migration-network", "type: macvlan"),), violates=_AT
        ),
        Example(
            "a configuration in a file on the nodes", USES, world=(nad("migration-network", ""),), undetermined=_AT
        ),
    ),
)
