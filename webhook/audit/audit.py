"""
Judges the objects of a running cluster.

The objects that rules look up are listed first. Then the VMs are listed and judged page by page, so that memory does not grow
with their size. Nothing is watched, and nothing is written.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Final, TypeVar

import msgspec

from webhook.audit.judge import Judge
from webhook.audit.lean import LeanReports
from webhook.audit.scope import Scope
from webhook.check.check import Settings, report_on
from webhook.cluster.listed import ListedWorld, list_each, list_facts
from webhook.cluster.messages import forbidden
from webhook.cluster.pages import Item, Lister
from webhook.errors import BadInput, Misconfigured, Unavailable
from webhook.facts.unknown import Fact, Found, Unknown
from webhook.kubevirt.schema.spelling import close_matches
from webhook.kubevirt.subject import VM_KINDS, controlling_vm, with_labels_only
from webhook.manifests.live_objects import read_live
from webhook.manifests.objects import ManifestObject
from webhook.objects.hyper_converged import HyperConverged
from webhook.objects.kinds import BY_CLASS, KINDS, Kind
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.meta import Kubernetes
from webhook.objects.nad import Namespace, NetworkAttachmentDefinition
from webhook.objects.vmi import VirtualMachineInstance
from webhook.report.audited import Audit, Audited, AuditReport, UnreadReport
from webhook.report.model import ObjectReport
from webhook.report.report_objects import is_setting

K = TypeVar("K", bound=Kubernetes)

MACHINE_KINDS: Final[tuple[Kind, ...]] = (
    *(kind for kind in KINDS if kind.reads in VM_KINDS and kind.reads is not VirtualMachineInstance),
    BY_CLASS[VirtualMachineInstance],
)
"""The kinds that contain a VMI. VMIs come last, because each is compared with its VirtualMachine."""
FACT_KINDS: Final[tuple[Kind, ...]] = tuple(kind for kind in KINDS if kind.reads not in VM_KINDS)
JUDGED_KINDS: Final[tuple[Kind, ...]] = tuple(kind for kind in KINDS if kind.judged)
_ORDER: Final = {kind.kind: number for number, kind in enumerate(JUDGED_KINDS)}

_OTHERS: Final = Unknown("only some namespaces are audited", "audit all namespaces")

Progress = Callable[[], None]


def _ignore() -> None:
    """No progress display."""


def audit(lister: Lister, settings: Settings, scope: Scope, judged: Progress = _ignore) -> Audit:
    """
    The audit of a cluster. ``judged`` is called after each object.

    Raises Misconfigured for a cluster without KubeVirt and for an account that may read no VM, Unavailable if the cluster does
    not answer, and BadInput for a release that cannot be judged.
    """
    return _Run(lister, settings, scope, judged).result()


class _Deferred(msgspec.Struct, frozen=True):
    """An object that is judged after all VMs were listed, because its findings depend on other VMs."""

    kind: Kind
    item: Item


class _Streaming:
    """The world while VMs are being listed. It records whether a judgement needs the VMs."""

    def __init__(self, world: ListedWorld) -> None:
        self._world = world
        self.needs_machines = False

    def find(self, kind: type[K], namespace: str, name: str) -> Found[K]:
        return self._world.find(kind, namespace, name)

    def every(self, kind: type[K]) -> Fact[tuple[K, ...]]:
        if kind in VM_KINDS:
            self.needs_machines = True
            return Unknown("the VMs are being listed")
        return self._world.every(kind)


class _Run:
    """One audit."""

    def __init__(self, lister: Lister, settings: Settings, scope: Scope, judged: Progress) -> None:
        self._lister = lister
        self._scope = scope
        self._settings = settings
        self._progress = judged
        self._world = ListedWorld()
        self._streaming = _Streaming(self._world)
        self._later: list[_Deferred] = []
        self._problems: list[BadInput] = []
        self._objects: dict[tuple[str, str, str], Audited] = {}
        self._lean = LeanReports()
        self._compared: list[_Deferred] = []
        """VMIs whose VirtualMachine is judged later."""

    def result(self) -> Audit:
        self._list_facts([KubeVirt])
        self._refuse_cluster_without_kubevirt()
        self._list_facts([kind.reads for kind in FACT_KINDS if kind.reads is not KubeVirt])
        self._refuse_absent_namespaces()
        self._judge = Judge(self._world, self._settings)
        for kind in MACHINE_KINDS:
            self._list(kind)
        self._refuse_report_without_vms()
        for deferred in (*self._later, *self._compared):
            self._examine(deferred.kind, deferred.item, self._world)
        objects = sorted(self._objects.values(), key=lambda audited: place_of(audited.report))
        return Audit(self._report(objects), tuple(objects))

    def _list_facts(self, kinds: list[type[Kubernetes]]) -> None:
        list_facts(self._world, self._lister, kinds, self._scope.namespaces, self._seen)

    def _seen(self, kind: Kind, item: Item) -> None:
        """Keeps the objects of judged kinds that rules also look up, such as MigrationPolicies."""
        if kind.judged:
            self._later.append(_Deferred(kind, _copied(item)))

    def _list(self, kind: Kind) -> None:
        """Lists and judges the VMs of a kind."""
        spaces = self._scope.namespaces or ("",)
        self._world.begin(
            kind.reads, others=_OTHERS if self._scope.namespaces else None, namespaces=self._scope.namespaces
        )

        def read(namespace: str) -> None:
            for item in self._lister.every(kind, namespace):
                self._examine(kind, item, self._streaming)

        list_each(self._world, kind, spaces, read)

    def _examine(self, kind: Kind, item: Item, world: "ListedWorld | _Streaming") -> None:
        try:
            live = read_live(item.raw, kind, item.version)
        except BadInput as problem:
            self._problems.append(problem)
            return
        known = live.object
        if known is None:
            return
        is_first = world is self._streaming
        if is_first:
            self._world.pack(kind.reads, (known.namespace, known.name), with_labels_only(known))
        if not self._is_judged(kind, known.namespace):
            return
        self._streaming.needs_machines = False
        if kind.reads is VirtualMachineInstance:
            self._compare(live, known, item, world)
        elif (audited := self._judge.judge(live, world)) is not None and not self._postponed(kind, item):
            self._keep(audited)

    def _is_judged(self, kind: Kind, namespace: str) -> bool:
        if is_setting(kind.kind, namespace, self._of_kubevirt):
            return self._scope.holds_settings(namespace)
        return self._scope.holds(namespace)

    @cached_property
    def _of_kubevirt(self) -> frozenset[str]:
        """The namespaces of KubeVirt."""
        lists = (self._world.every(kind) for kind in (KubeVirt, HyperConverged))
        return frozenset(one.namespace for found in lists if not isinstance(found, Unknown) for one in found)

    def _postponed(self, kind: Kind, item: Item) -> bool:
        """Whether the last judgement needs the VMs, and is repeated later."""
        if not self._streaming.needs_machines:
            return False
        self._later.append(_Deferred(kind, _copied(item)))
        return True

    def _compare(self, vmi: ManifestObject, known: Kubernetes, item: Item, world: "ListedWorld | _Streaming") -> None:
        owner = controlling_vm(known)
        key = ("VirtualMachine", known.namespace, owner)
        machine = self._objects.get(key)
        if owner and machine is None:
            if world is self._streaming:  # its VirtualMachine is judged later
                self._compared.append(_Deferred(BY_CLASS[VirtualMachineInstance], _copied(item)))
                return
        changed, alone = self._judge.compare(machine, vmi, world)
        if self._streaming.needs_machines and world is self._streaming:
            self._compared.append(_Deferred(BY_CLASS[VirtualMachineInstance], _copied(item)))
            return
        if changed is not None:
            self._objects[key] = changed
        if alone is not None:
            self._keep(alone)

    def _keep(self, audited: Audited) -> None:
        audited = self._lean.lean(audited)
        report = audited.report
        self._objects[report.kind, report.namespace, report.name] = audited
        self._progress()

    def _refuse_cluster_without_kubevirt(self) -> None:
        """Raises an error if the cluster does not answer, or has no KubeVirt."""
        kubevirts = self._world.every(KubeVirt)
        if isinstance(kubevirts, Unknown):
            if kubevirts != forbidden(BY_CLASS[KubeVirt]):
                raise Unavailable(kubevirts.why, remedy="Check the kubeconfig and the network, then try again.")
        elif not kubevirts:
            missing = "has no KubeVirt CR" if self._world.serves(KubeVirt) else "does not serve the kind KubeVirt"
            raise Misconfigured(
                f"the cluster {missing}: KubeVirt is not deployed",
                remedy="Name the context of a cluster with KubeVirt: --context NAME.",
            )

    def _refuse_report_without_vms(self) -> None:
        """Raises an error if no kind of VM could be listed, because an empty report would look like one without findings."""
        reasons = [self._world.failed.get(kind.reads) for kind in MACHINE_KINDS]
        why = reasons[0]
        if why is None or None in reasons:
            return
        if why != forbidden(MACHINE_KINDS[0]):
            raise Unavailable(why.why, remedy="Check the API server and the network, then try again.")
        if self._scope.namespaces:
            raise Misconfigured(why.why, remedy=f"{why.settle.capitalize()}.")
        raise Misconfigured(why.why, remedy="Name the namespaces that you may read: -n NAMESPACE.")

    def _belongs(self, kind: Kind) -> bool:
        """Whether objects of a kind can belong to the audit. Settings are not in the namespaces of VMs."""
        is_tenants = kind in MACHINE_KINDS or kind.reads is NetworkAttachmentDefinition
        return kind.judged and (is_tenants or not self._scope.namespaces)

    def _refuse_absent_namespaces(self) -> None:
        """Raises Misconfigured for a namespace that the cluster does not have, if the namespaces are known."""
        known = self._world.every(Namespace)
        names = [] if isinstance(known, Unknown) else [namespace.name for namespace in known]
        for namespace in self._scope.namespaces if names else ():
            if namespace not in names:
                close = close_matches(namespace, names)
                raise Misconfigured(
                    f"the cluster has no namespace {namespace!a}{f' (did you mean {close[0]}?)' if close else ''}",
                    remedy="Write -n with the name of a namespace. `kubectl get namespaces` lists them.",
                )

    def _report(self, objects: list[Audited]) -> AuditReport:
        report = report_on(
            [audited.report for audited in objects],
            sorted(self._problems, key=lambda problem: (problem.source, problem.path)),
            self._settings,
            self._judge.release,
            self._judge.used,
        )
        fields = {name: getattr(report, name) for name in report.__struct_fields__}
        return AuditReport(
            **fields,
            shard=self._scope.shard,
            namespaces=self._scope.namespaces,
            unread=tuple(sorted(_unread(kind, space, why) for kind, space, why in self._world.unread)),
            is_incomplete=any(self._belongs(BY_CLASS[kind]) for kind, _, _ in self._world.unread),
            disagreements=tuple(one for audited in objects for one in audited.disagreements),
        )


def _unread(reads: type[Kubernetes], namespace: str, why: Unknown) -> UnreadReport:
    kind = BY_CLASS[reads]
    if why == forbidden(kind):
        return UnreadReport(kind.kind, namespace)
    return UnreadReport(kind.kind, namespace, why.why, is_refused=False)


def _copied(item: Item) -> Item:
    """The item, without the rest of its page."""
    return Item(msgspec.Raw(bytes(item.raw)), item.version)


def place_of(judged: ObjectReport) -> tuple[int, str, str]:
    """The place of an object in the report."""
    return _ORDER[judged.kind], judged.namespace, judged.name
