"""Not every network that exists can carry migrations."""

from collections.abc import Iterator
from itertools import islice

from webhook.cni.migration_network import hindrances
from webhook.facts.network import MigrationNetworkFacts, NetworkFacts
from webhook.facts.unknown import Unknown
from webhook.rules.example import nad
from webhook.rules.migration_network._network import MACVLAN, NETWORK_GUIDE, USES
from webhook.rules.rule import About, Example, Outcome, Rule, Undetermined, Violation

MOST = 5
_AT = ("configuration.migrations.network",)
_RANGE = '"type": "whereabouts", "range": "10.1.1.0/24"'


def check(facts: MigrationNetworkFacts) -> Iterator[Outcome]:
    if not isinstance(facts.network, NetworkFacts):
        return
    name = facts.network_name
    if isinstance(facts.network.config, Unknown):
        unknown = facts.network.config
        yield Undetermined(facts.path, f"network {name!r}: {unknown.why}", unknown.settle, name)
    for fault in islice(hindrances(facts.network), MOST):
        yield Violation(facts.path, f"network {name!r} cannot be used: {fault.message}", f"{name} {fault.message}")


RULE = Rule(
    id="LM718",
    name="unfit-migration-network",
    about=About.MIGRATION_NETWORK,
    summary="The migration network exists and cannot carry migrations.",
    rationale=(
        "virt-handler restarts on every node with this network. Where its interface cannot be made or gets no address, it does "
        "not come up again."
    ),
    remediation="Correct the NetworkAttachmentDefinition first; `migratable check` on it says all that is wrong.",
    source="pkg/virt-handler/migration.go FindMigrationIP, v1.9.0; the plugins' sources",
    reference=NETWORK_GUIDE,
    check=check,
    examples=(
        Example("a fit network", USES, world=(nad("migration-network", f'{{{MACVLAN}, "ipam": {{{_RANGE}}}}}'),)),
        Example("a network without addresses", USES, world=(nad("migration-network", f"{{{MACVLAN}}}"),), violates=_AT),
        Example("a network that is no JSON", USES, world=(nad("migration-network", "type: macvlan"),), violates=_AT),
        Example("a file on the nodes", USES, world=(nad("migration-network", ""),), undetermined=_AT),
    ),
)
