"""Links, example objects and outcomes that the rules about networks share. Not a rule."""

from collections.abc import Iterable, Iterator
from typing import Final

from webhook.facts.network import Fault, NetworkFacts
from webhook.facts.unknown import Unknown
from webhook.rules.example import kubevirt, node
from webhook.rules.rule import Outcome, Undetermined, Violation

NETWORK_GUIDE: Final = "https://kubevirt.io/user-guide/compute/live_migration/#using-a-different-network-for-migrations"
CNI_SPECIFICATION: Final = "https://www.cni.dev/docs/spec/"
CNI_PLUGINS: Final = "https://www.cni.dev/plugins/current/"
WHEREABOUTS_GUIDE: Final = (
    "https://github.com/k8snetworkplumbingwg/whereabouts/blob/master/doc/extended-configuration.md"
)
NAMED: Final = kubevirt(migrations={"network": "migration-network"})
"""A KubeVirt CR whose migration network is ``migration-network``, the network of the examples."""
THREE_NODES: Final = tuple(node(f"node{number}", **{"kubevirt.io/schedulable": "true"}) for number in (1, 2, 3))
MACVLAN: Final = '"name": "migration", "cniVersion": "0.3.1", "type": "macvlan", "master": "eth1"'
"""The settings of a macvlan network without ``ipam``."""
LOCALNET: Final = (
    '"name": "migration", "cniVersion": "0.3.1", "type": "ovn-k8s-cni-overlay", "topology": "localnet", '
    '"netAttachDefName": "kubevirt/migration-network"'
)
"""The settings of a localnet network of OVN-Kubernetes without ``subnets``."""
USES: Final = "{configuration: {migrations: {network: migration-network}}}"
"""``spec`` of a KubeVirt CR with a migration network."""
USES_NONE: Final = "{configuration: {migrations: {}}}"


def config(text: str) -> str:
    """``spec`` of a NetworkAttachmentDefinition, from the members of its configuration."""
    return f"config: |\n  {{{text}}}"


def addressed(ipam: str) -> str:
    """``spec`` of a NetworkAttachmentDefinition for macvlan with this ``ipam``."""
    return config(f'{MACVLAN}, "ipam": {{{ipam}}}')


def outcomes(facts: NetworkFacts, problems: Iterable[Fault | Unknown], subject: str) -> Iterator[Outcome]:
    """The outcomes at the configuration: a violation for each fault, and an undetermined result for each unknown fact."""
    for problem in problems:
        if isinstance(problem, Unknown):
            yield Undetermined(facts.path, problem.why, problem.settle, subject)
        else:
            yield Violation(facts.path, problem.message, subject, problem.remedy)
