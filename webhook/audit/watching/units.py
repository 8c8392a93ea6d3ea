"""Groups watched objects into units, and judges a unit as ``webhook.audit.audit`` judges it. This module does no I/O."""

from collections.abc import Callable, Iterator

from webhook.audit.judge import Judge
from webhook.audit.watching.dependencies import Unit
from webhook.audit.watching.packed import VM, Packed
from webhook.cluster.projection import Key
from webhook.cluster.store import Store, Stored
from webhook.errors import BadInput
from webhook.facts.world import World
from webhook.manifests.live_objects import read_live
from webhook.manifests.objects import ManifestObject
from webhook.objects.kinds import BY_CLASS, KINDS
from webhook.objects.meta import Kubernetes
from webhook.objects.vmi import VirtualMachineInstance
from webhook.report.audited import Audited

JUDGED: tuple[type[Kubernetes], ...] = tuple(kind.reads for kind in KINDS if kind.judged)
_BY_NAME = {kind.kind: kind.reads for kind in KINDS if kind.judged}


class Units:
    """The units of the judged objects in a store. ``holds`` returns whether a namespace is audited."""

    def __init__(self, store: Store, holds: Callable[[str], bool]) -> None:
        self._store = store
        self._holds = holds
        self._others: dict[Key, set[str]] = {}
        """The VMIs whose name differs from that of their VirtualMachine, by VirtualMachine. KubeVirt makes none."""

    def all(self) -> Iterator[Unit]:
        """Yields the units of all stored objects. A unit can be repeated."""
        for kind in JUDGED:
            for key, stored in self._store.objects(kind):
                yield from self.of_change(kind, key, None, stored)

    def of_change(
        self, kind: type[Kubernetes], key: Key, before: Stored | None, after: Stored | None
    ) -> Iterator[Unit]:
        """Yields the units whose own objects a change concerns."""
        if before is after or kind not in JUDGED or not self._holds(key[0]):
            return
        for stored in (before, after):
            if isinstance(stored, Packed):
                owner, (namespace, name) = stored.owner, key
                if owner and owner != name:
                    self._note_other((namespace, owner), name, is_there=stored is after)
                yield Unit(VM, namespace, owner) if owner else Unit(stored.kind, namespace, name)

    def judge(self, unit: Unit, judge: Judge, world: World) -> tuple[list[Audited], list[BadInput]]:
        """The judgements of a unit, and its objects that cannot be read."""
        judged: list[Audited] = []
        problems: list[BadInput] = []
        machine: Audited | None = None
        own = self._get(_BY_NAME[unit.kind], unit.namespace, unit.name)
        if own is not None and not own.owner:  # a VMI with an owner belongs to the unit of its owner
            live = _live(own, problems)
            if live is not None and unit.kind == VirtualMachineInstance.__name__:
                judged.extend(one for one in judge.compare(None, live, world) if one is not None)
            elif live is not None and (machine := judge.judge(live, world)) is not None and unit.kind != VM:
                judged.append(machine)
        if unit.kind == VM:
            for vmi in self._vmis(unit):
                live = _live(vmi, problems)
                if live is not None:
                    changed, alone = judge.compare(machine, live, world)
                    machine = machine if changed is None else changed
                    judged.extend(() if alone is None else (alone,))
            judged.extend(() if machine is None else (machine,))
        return judged, problems

    def _vmis(self, unit: Unit) -> Iterator[Packed]:
        """The VMIs of a VirtualMachine, by name."""
        key = (unit.namespace, unit.name)
        for name in sorted({unit.name, *self._others.get(key, ())}):
            vmi = self._get(VirtualMachineInstance, unit.namespace, name)
            if vmi is not None and vmi.owner == unit.name:
                yield vmi

    def _get(self, kind: type[Kubernetes], namespace: str, name: str) -> Packed | None:
        stored = self._store.get(kind, namespace, name)
        return stored if isinstance(stored, Packed) else None

    def _note_other(self, owner: Key, name: str, *, is_there: bool) -> None:
        if is_there:
            self._others.setdefault(owner, set()).add(name)
        elif owner in self._others:
            self._others[owner].discard(name)
            if not self._others[owner]:
                del self._others[owner]


def _live(stored: Packed, problems: list[BadInput]) -> ManifestObject | None:
    try:
        return read_live(stored.raw, BY_CLASS[_BY_NAME[stored.kind]], stored.version)
    except BadInput as problem:
        problems.append(problem)
        return None
