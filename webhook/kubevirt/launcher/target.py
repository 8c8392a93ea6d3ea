"""The facts about the target pod of a VMI, from the objects that are known without a further read."""

from collections.abc import Iterator

from webhook.cni.attachments import read_config
from webhook.facts.drain import DrainFacts
from webhook.facts.migration import MigrationFacts
from webhook.facts.network import CniConfig, Fault
from webhook.facts.target import Attachment, Peer, TargetFacts
from webhook.facts.unknown import Absent, Fact, Unknown
from webhook.facts.world import World
from webhook.kubevirt.releases import Releases
from webhook.kubevirt.subject import VM_KINDS, Subject, subject_of
from webhook.objects.disruption import PodDisruptionBudget
from webhook.objects.meta import Kubernetes
from webhook.objects.nad import NetworkAttachmentDefinition, Node
from webhook.objects.scheduling import HOSTNAME
from webhook.objects.vm import VirtualMachine, VirtualMachineInstanceReplicaSet, VirtualMachinePool
from webhook.scheduling.label_selectors import selects

_STOPPED = frozenset(("Halted", "Manual", "WaitAsReceiver"))


def target_facts(
    judged: Kubernetes, subject: Subject, facts: MigrationFacts, drain: DrainFacts, world: World, releases: Releases
) -> TargetFacts:
    """Returns the facts. Objects that are not needed for the VMI are not looked up."""
    nodes = world.every(Node)
    return TargetFacts(
        releases,
        facts,
        drain,
        nodes,
        replicas_of(judged),
        tuple(_peers(subject, world)) if not isinstance(nodes, Unknown) and _keeps_apart(facts) else (),
        tuple(_attachments(facts, world)),
        tuple(_budgets(facts, world)),
    )


def _keeps_apart(facts: MigrationFacts) -> bool:
    """Whether required anti-affinity keeps the VMI off the nodes of other pods."""
    affinity = facts.spec.affinity.pod_anti_affinity if facts.spec.affinity is not None else None
    return any(term.topology_key == HOSTNAME for term in (affinity.required if affinity is not None else None) or ())


def replicas_of(judged: Kubernetes) -> int:
    """The number of running VMIs that belong to an object."""
    if isinstance(judged, VirtualMachineInstanceReplicaSet | VirtualMachinePool):
        return max(judged.spec.replicas if judged.spec.replicas is not None else 1, 0)
    if isinstance(judged, VirtualMachine):
        is_stopped = judged.spec.run_strategy in _STOPPED or judged.spec.running is False
        return 0 if is_stopped else 1
    return 1


def _peers(subject: Subject, world: World) -> Iterator[Peer]:
    for kind in VM_KINDS:
        every = world.every(kind)
        for other in () if isinstance(every, Unknown) else every:
            found = subject_of(other)
            if found is None or (found.kind, found.namespace, found.name) == _identity(subject):
                continue
            labels = found.meta.labels or {}
            yield Peer(f"{found.kind} {found.name!r}", found.namespace, labels, replicas_of(other))


def _identity(subject: Subject) -> tuple[str, str, str]:
    return subject.kind, subject.namespace, subject.name


def _attachments(facts: MigrationFacts, world: World) -> Iterator[Attachment]:
    """The interfaces with bridge binding, which gives the guest the address of its pod."""
    networks = {network.name: network.multus for network in facts.networks if network.multus is not None}
    for index, interface in enumerate(facts.interfaces):
        multus = networks.get(interface.name)
        if multus is None or interface.bridge is None or interface.binding is not None:
            continue
        namespace, _, name = multus.network_name.rpartition("/")
        found = world.find(NetworkAttachmentDefinition, namespace or facts.namespace, name)
        config: Fact[CniConfig] | Fault
        if isinstance(found, Absent):
            continue
        config = found if isinstance(found, Unknown) else read_config(found)
        if not isinstance(config, Fault):
            path = facts.at("domain", "devices", "interfaces", index)
            yield Attachment(path, interface.name, multus.network_name, config)


def _budgets(facts: MigrationFacts, world: World) -> Iterator[PodDisruptionBudget]:
    every = world.every(PodDisruptionBudget)
    if isinstance(every, Unknown):
        return
    for budget in every:
        is_near = not budget.namespace or not facts.namespace or budget.namespace == facts.namespace
        if is_near and selects(budget.spec.selector, facts.labels):
            yield budget
