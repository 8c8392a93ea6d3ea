"""
Lists the objects of a cluster for an audit: first the objects that rules look up, then the VMs.

A cluster of which nothing can be said is an error, because an empty report would look like one without findings.
"""

from collections.abc import Callable
from typing import Final

from webhook.audit.scope import Scope
from webhook.cluster.listed import ListedWorld, list_each, list_facts
from webhook.cluster.messages import forbidden
from webhook.cluster.pages import Item, Lister
from webhook.errors import Misconfigured, Unavailable
from webhook.facts.unknown import Unknown
from webhook.kubevirt.schema.spelling import close_matches
from webhook.kubevirt.subject import VM_KINDS
from webhook.objects.hyper_converged import HyperConverged
from webhook.objects.kinds import BY_CLASS, KINDS, Kind
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.meta import Kubernetes
from webhook.objects.nad import Namespace, NetworkAttachmentDefinition
from webhook.objects.vmi import VirtualMachineInstance
from webhook.report.audited import UnreadReport

MACHINE_KINDS: Final[tuple[Kind, ...]] = (
    *(kind for kind in KINDS if kind.reads in VM_KINDS and kind.reads is not VirtualMachineInstance),
    BY_CLASS[VirtualMachineInstance],
)
"""The kinds that contain a VMI. VMIs come last, because each is compared with its VirtualMachine."""
FACT_KINDS: Final[tuple[Kind, ...]] = tuple(kind for kind in KINDS if kind.reads not in VM_KINDS)
JUDGED_KINDS: Final[tuple[Kind, ...]] = tuple(kind for kind in KINDS if kind.judged)

_OTHERS: Final = Unknown("only some namespaces are audited", "audit all namespaces")

Seen = Callable[[Kind, Item], None]
"""Receives each object of a list."""


class ClusterListing:
    """The lists of one audit. ``world`` contains the listed objects."""

    def __init__(self, lister: Lister, scope: Scope) -> None:
        self._lister = lister
        self._scope = scope
        self.world = ListedWorld()

    def list_facts(self, seen: Seen) -> None:
        """
        Lists the objects that rules look up.

        Raises Misconfigured for a cluster without KubeVirt and for a namespace that does not exist, and Unavailable if the
        cluster does not answer.
        """
        self._list_facts([KubeVirt], seen)
        self._refuse_cluster_without_kubevirt()
        self._list_facts([kind.reads for kind in FACT_KINDS if kind.reads is not KubeVirt], seen)
        self._refuse_absent_namespaces()

    def list_machines(self, seen: Seen) -> None:
        """Lists the kinds that contain a VMI. Raises Misconfigured or Unavailable if none of these kinds can be listed."""
        namespaces = self._scope.namespaces
        for kind in MACHINE_KINDS:
            self.world.begin(kind.reads, others=_OTHERS if namespaces else None, namespaces=namespaces)
            list_each(self.world, kind, namespaces or ("",), self._reader(kind, seen))
        self._refuse_report_without_vms()

    @property
    def namespaces_of_kubevirt(self) -> frozenset[str]:
        """The namespaces of the KubeVirt CR and the HyperConverged CR, as far as they are known."""
        lists = (self.world.every(kind) for kind in (KubeVirt, HyperConverged))
        return frozenset(one.namespace for found in lists if not isinstance(found, Unknown) for one in found)

    @property
    def unread(self) -> tuple[UnreadReport, ...]:
        """The kinds that could not be listed, sorted."""
        return tuple(sorted(_unread(BY_CLASS[kind], space, why) for kind, space, why in self.world.unread))

    @property
    def is_incomplete(self) -> bool:
        """Whether objects that belong to the audit could not be listed."""
        return any(self._belongs(BY_CLASS[kind]) for kind, _, _ in self.world.unread)

    def _list_facts(self, kinds: list[type[Kubernetes]], seen: Seen) -> None:
        list_facts(self.world, self._lister, kinds, self._scope.namespaces, seen)

    def _reader(self, kind: Kind, seen: Seen) -> Callable[[str], None]:
        def read(namespace: str) -> None:
            for item in self._lister.every(kind, namespace):
                seen(kind, item)

        return read

    def _belongs(self, kind: Kind) -> bool:
        """Whether objects of a kind can belong to the audit. Settings are not in the namespaces of VMs."""
        is_tenants = kind in MACHINE_KINDS or kind.reads is NetworkAttachmentDefinition
        return kind.judged and (is_tenants or not self._scope.namespaces)

    def _refuse_cluster_without_kubevirt(self) -> None:
        kubevirts = self.world.every(KubeVirt)
        if isinstance(kubevirts, Unknown):
            if kubevirts != forbidden(BY_CLASS[KubeVirt]):
                raise Unavailable(kubevirts.why, remedy="Check the kubeconfig and the network, then try again.")
        elif not kubevirts:
            missing = "has no KubeVirt CR" if self.world.serves(KubeVirt) else "does not serve the kind KubeVirt"
            raise Misconfigured(
                f"the cluster {missing}: KubeVirt is not deployed",
                remedy="Name the context of a cluster with KubeVirt: --context NAME.",
            )

    def _refuse_absent_namespaces(self) -> None:
        """Raises Misconfigured for a namespace that the cluster does not have, if the namespaces are known."""
        known = self.world.every(Namespace)
        names = [] if isinstance(known, Unknown) else [namespace.name for namespace in known]
        for namespace in self._scope.namespaces if names else ():
            if namespace not in names:
                close = close_matches(namespace, names)
                raise Misconfigured(
                    f"the cluster has no namespace {namespace!a}{f' (did you mean {close[0]}?)' if close else ''}",
                    remedy="Write -n with the name of a namespace. `kubectl get namespaces` lists them.",
                )

    def _refuse_report_without_vms(self) -> None:
        reasons = [self.world.failed.get(kind.reads) for kind in MACHINE_KINDS]
        why = reasons[0]
        if why is None or None in reasons:
            return
        if why != forbidden(MACHINE_KINDS[0]):
            raise Unavailable(why.why, remedy="Check the API server and the network, then try again.")
        if self._scope.namespaces:
            raise Misconfigured(why.why, remedy=f"{why.settle.capitalize()}.")
        raise Misconfigured(why.why, remedy="Name the namespaces that you may read: -n NAMESPACE.")


def _unread(kind: Kind, namespace: str, why: Unknown) -> UnreadReport:
    if why == forbidden(kind):
        return UnreadReport(kind.kind, namespace)
    return UnreadReport(kind.kind, namespace, why.why, is_refused=False)
