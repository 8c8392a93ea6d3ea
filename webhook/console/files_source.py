"""A source of files: manifests, the output of ``kubectl get -o json``, or a snapshot. All are read once, at the start."""

import logging
import threading
from collections.abc import Sequence
from hashlib import sha256

import msgspec
from msgspec.structs import replace

from webhook.audit.judge import Judge
from webhook.audit.lean import LeanReports
from webhook.check.check import Settings
from webhook.console.file_objects import FileObjects
from webhook.console.large_heaps import creating_many
from webhook.console.policies import labelled_in, labels_by_namespace, matched_policies
from webhook.console.rehearsals import Explanations, internal, rehearsed, release_of_rehearsal
from webhook.console.rows import is_vm, place_of, row_of
from webhook.console.state import Drains, State
from webhook.drain.vm_explanation import VMExplanation
from webhook.errors import BadInput
from webhook.facts.world import World
from webhook.kubevirt.subject import controlling_vm
from webhook.manifests.objects import ManifestObject
from webhook.objects.fleet_kinds import FLEET_BY_CLASS
from webhook.objects.kinds import KUBEVIRT_GROUP
from webhook.objects.kubevirt import MigrationPolicy
from webhook.objects.vm import VirtualMachine
from webhook.report.audited import Audited, UnreadReport
from webhook.report.building import problem_report
from webhook.report.report_objects import ObjectKey, key_of

log = logging.getLogger("migratable.console")

Judged = dict[tuple[str, str], tuple[Audited, ...]]


class FilesSource:
    """The state of the objects in files. ``run`` judges them."""

    def __init__(self, paths: Sequence[str], settings: Settings) -> None:
        """
        Reads the files. Raises Misconfigured for a file or an object that cannot be read, and BadInput for a release that cannot
        be judged.
        """
        with creating_many():
            self._objects: FileObjects | None = FileObjects(paths)
            self._fleet = self._objects.fleet
            self._world = self._objects.world()
        self._judge = Judge(self._world, settings)
        self._settings = settings
        self._explanations = Explanations()
        self._judged: Judged = {}
        name, release = ", ".join(paths), self._judge.release
        self._state = State("", name, release.label, settings.policy.profile, notes=release.notes)
        self._show(replace(self._state, unfinished="the objects are being judged"))

    def run(self, stopping: threading.Event | None = None) -> None:
        """Judges the objects and rehearses the drains, unless ``stopping`` is set."""
        self.judge()
        if stopping is None or not stopping.is_set():
            self.rehearse()

    def judge(self) -> None:
        """Judges the objects. They are read from memory, so this is possible once."""
        if self._objects is None:
            return
        with creating_many():
            fleet, objects = self._fleet, judged_objects(self._judge, self._objects, self._world)
        by_name: Judged = {}
        for audited in filter(is_vm, objects):
            key = audited.report.namespace, audited.report.name
            by_name[key] = (*by_name.get(key, ()), audited)
        policies = fleet.given(MigrationPolicy)
        unread = (UnreadReport(FLEET_BY_CLASS[kind].kind, "", why, False) for kind, why in fleet.unread.items())
        self._judged = by_name
        self._show(
            replace(
                self._state,
                vms=tuple(sorted((row_of(one) for one in objects if one.is_machine), key=place_of)),
                others=tuple(sorted((one for one in objects if not is_vm(one)), key=key_of)),
                policies=matched_policies(policies, labelled_in(fleet), labels_by_namespace(policies, self._world)),
                unread=tuple(sorted(unread)),
                problems=tuple(map(problem_report, self._objects.problems)),
                unfinished="",
            )
        )
        self._objects = None

    def rehearse(self) -> None:
        """Rehearses the drain of each node alone."""
        try:
            with creating_many():
                drains, explainer = rehearsed(self._fleet, release_of_rehearsal(self._settings))
        except Exception as error:  # noqa: BLE001 - the other pages do not depend on the rehearsal
            log.error("the drains were not rehearsed", extra={"error": type(error).__name__})  # noqa: TRY400
            drains = Drains(problem=error.message if isinstance(error, BadInput) else internal(error))
        else:
            self._explanations.replace(explainer)
        self._show(replace(self._state, drains=drains))

    def state(self) -> State:
        """The present state."""
        return self._state

    def judged(self, namespace: str, name: str) -> tuple[Audited, ...]:
        """The VirtualMachine and the VMI of this name."""
        return self._judged.get((namespace, name), ())

    def explained(self, namespace: str, name: str) -> VMExplanation | None:
        """The explanation of a VM, or None before the rehearsal and if there is no such VM."""
        return self._explanations.explained(namespace, name)

    def _show(self, state: State) -> None:
        content = msgspec.json.encode(replace(state, version=""))
        self._state = replace(state, version=sha256(content).hexdigest()[:16])


def judged_objects(judge: Judge, objects: FileObjects, world: World) -> list[Audited]:
    """
    The judgements of all objects. VMIs are compared with their VirtualMachines, as in an audit.

    An object that cannot be judged becomes a problem, and the others are judged.
    """
    lean = LeanReports().lean
    found: dict[ObjectKey, Audited] = {}
    for one in objects.judged(vmis=False):
        with objects.noting_problems(one):
            if (audited := judge.judge(one, world)) is not None:
                found[key_of(audited)] = lean(audited)
    for one in objects.judged(vmis=True):
        with objects.noting_problems(one):
            owner = _owner_of(one)
            machine, differing = judge.compare(found.get(owner), one, world)
            if machine is not None:
                found[owner] = machine
            if differing is not None:
                found[key_of(differing)] = lean(differing)
    return list(found.values())


def _owner_of(vmi: ManifestObject) -> ObjectKey:
    """The key of the VirtualMachine that owns a VMI."""
    namespace = vmi.object.namespace if vmi.object is not None else ""
    owner = controlling_vm(vmi.object) if vmi.object is not None else ""
    return KUBEVIRT_GROUP, VirtualMachine.__name__, namespace, owner
