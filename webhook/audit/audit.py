"""
Judges the objects of a running cluster.

VMs are judged while they are listed, page by page, so that memory does not grow with their size. An object whose findings
depend on the VMs, such as a MigrationPolicy, is judged after all VMs were listed. Nothing is watched, and nothing is written.
"""

from collections.abc import Callable, Iterator
from typing import Final, TypeVar

import msgspec

from webhook.audit.judge import Judge
from webhook.audit.lean import LeanReports
from webhook.audit.listing import JUDGED_KINDS, ClusterListing
from webhook.audit.scope import Scope
from webhook.check.check import Settings, report_on
from webhook.cluster.listed import ListedWorld
from webhook.cluster.pages import Item, Lister
from webhook.errors import BadInput
from webhook.facts.unknown import Fact, Found, Unknown
from webhook.facts.world import World
from webhook.kubevirt.subject import VM_KINDS, controlling_vm, with_labels_only
from webhook.manifests.live_objects import read_live
from webhook.manifests.objects import ManifestObject
from webhook.objects.kinds import Kind
from webhook.objects.meta import Kubernetes
from webhook.objects.vmi import VirtualMachineInstance
from webhook.report.audited import Audit, Audited, AuditReport
from webhook.report.model import ObjectReport
from webhook.report.report_objects import is_setting

K = TypeVar("K", bound=Kubernetes)

_ORDER: Final = {kind.kind: number for number, kind in enumerate(JUDGED_KINDS)}

Progress = Callable[[], None]


def _ignore() -> None:
    """No progress display."""


def audit(lister: Lister, settings: Settings, scope: Scope, judged: Progress = _ignore) -> Audit:
    """
    The audit of a cluster. ``judged`` is called after each object.

    Raises Misconfigured for a cluster without KubeVirt and for an account that may read no VM, Unavailable if the cluster does
    not answer, and BadInput for a release that cannot be judged.
    """
    listing = ClusterListing(lister, scope)
    later: list[_Listed] = []

    def keep_judged(kind: Kind, item: Item) -> None:
        if kind.judged:
            later.append(_Listed(kind, item.copy()))

    listing.list_facts(keep_judged)
    run = _Run(listing, settings, scope, later, judged)
    listing.list_machines(run.examine)
    return run.result()


class _Listed(msgspec.Struct, frozen=True):
    """An object of a list."""

    kind: Kind
    item: Item


class _WorldWithoutVMs:
    """The world while VMs are being listed. It records whether a judgement needs the VMs."""

    def __init__(self, world: ListedWorld) -> None:
        self._world = world
        self.needs_vms = False

    def find(self, kind: type[K], namespace: str, name: str) -> Found[K]:
        return self._world.find(kind, namespace, name)

    def every(self, kind: type[K]) -> Fact[tuple[K, ...]]:
        if kind in VM_KINDS:
            self.needs_vms = True
            return Unknown("the VMs are being listed")
        return self._world.every(kind)


class _Run:
    """One audit. ``later`` are the objects to judge after all VMs were listed."""

    def __init__(
        self, listing: ClusterListing, settings: Settings, scope: Scope, later: list[_Listed], judged: Progress
    ) -> None:
        self._listing = listing
        self._settings = settings
        self._scope = scope
        self._later = later
        self._progress = judged
        self._judge = Judge(listing.world, settings)
        self._of_kubevirt = listing.namespaces_of_kubevirt
        self._problems: list[BadInput] = []
        self._objects: dict[tuple[str, str, str], Audited] = {}
        self._lean = LeanReports()

    def examine(self, kind: Kind, item: Item) -> None:
        """Judges an object while VMs are being listed. Keeps it for later if its findings depend on VMs."""
        live = self._read(kind, item)
        if live is None or live.object is None:
            return
        listed = live.object
        self._listing.world.pack(kind.reads, (listed.namespace, listed.name), with_labels_only(listed))
        if not self._belongs(kind, listed.namespace):
            return
        world = _WorldWithoutVMs(self._listing.world)
        judged = () if self._waits_for_its_vm(live) else tuple(self._judged(live, world))
        if world.needs_vms or not judged:
            self._later.append(_Listed(kind, item.copy()))
        else:
            self._keep(judged)

    def result(self) -> Audit:
        """Judges the objects that were kept for later. VMIs are the last of them, after their VirtualMachines."""
        for one in self._later:
            live = self._read(one.kind, one.item)
            if live is not None and live.object is not None and self._belongs(one.kind, live.object.namespace):
                self._keep(tuple(self._judged(live, self._listing.world)))
        objects = sorted(self._objects.values(), key=lambda audited: place_of(audited.report))
        return Audit(self._report(objects), tuple(objects))

    def _read(self, kind: Kind, item: Item) -> ManifestObject | None:
        try:
            return read_live(item.raw, kind, item.version)
        except BadInput as problem:
            self._problems.append(problem)
            return None

    def _belongs(self, kind: Kind, namespace: str) -> bool:
        if is_setting(kind.kind, namespace, self._of_kubevirt):
            return self._scope.holds_settings(namespace)
        return self._scope.holds(namespace)

    def _waits_for_its_vm(self, live: ManifestObject) -> bool:
        """Whether the object is a VMI whose VirtualMachine is judged later."""
        return bool(_owner_name(live)) and self._owner(live) is None

    def _owner(self, live: ManifestObject) -> Audited | None:
        """The VirtualMachine of a VMI."""
        namespace = live.object.namespace if live.object is not None else ""
        return self._objects.get(("VirtualMachine", namespace, _owner_name(live)))

    def _judged(self, live: ManifestObject, world: World) -> Iterator[Audited]:
        """The object, or a VMI together with its VirtualMachine, which then counts as running."""
        if isinstance(live.object, VirtualMachineInstance):
            yield from filter(None, self._judge.compare(self._owner(live), live, world))
        elif (audited := self._judge.judge(live, world)) is not None:
            yield audited

    def _keep(self, judged: tuple[Audited, ...]) -> None:
        for audited in judged:
            report = audited.report
            key = report.kind, report.namespace, report.name
            known = self._objects.get(key)
            if known is not None and known.report is report:  # a VirtualMachine that was compared with its VMI
                self._objects[key] = audited
                continue
            self._objects[key] = self._lean.lean(audited)
            self._progress()

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
            unread=self._listing.unread,
            is_incomplete=self._listing.is_incomplete,
            disagreements=tuple(one for audited in objects for one in audited.disagreements),
        )


def _owner_name(live: ManifestObject) -> str:
    """The name of the VirtualMachine that owns a VMI, or an empty text."""
    return controlling_vm(live.object) if isinstance(live.object, VirtualMachineInstance) else ""


def place_of(judged: ObjectReport) -> tuple[int, str, str]:
    """The place of an object in the report."""
    return _ORDER[judged.kind], judged.namespace, judged.name
