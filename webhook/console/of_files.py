"""A source of files: manifests, the output of ``kubectl get -o json``, or a snapshot. All are read once, at the start."""

import threading
from collections.abc import Sequence
from hashlib import sha256

import msgspec
from msgspec.structs import replace

from webhook.audit.judge import Judge
from webhook.check.check import Settings
from webhook.console.file_objects import FileObjects, read_files
from webhook.console.policies import labelled, labels_by_namespace, matched_policies
from webhook.console.rows import is_vm, place_of, row_of
from webhook.console.state import Drains, State
from webhook.drain.explain_vm import explain
from webhook.drain.rehearsal import Request, rehearse
from webhook.drain.vm_explanation import VMExplanation
from webhook.errors import BadInput
from webhook.facts.fleet import Fleet
from webhook.kubevirt.subject import controlling_vm
from webhook.manifests.objects import ManifestObject
from webhook.objects.fleet_kinds import FLEET_BY_CLASS
from webhook.objects.kubevirt import MigrationPolicy
from webhook.objects.vmi import VirtualMachineInstance
from webhook.report.audited import Audited, UnreadReport
from webhook.report.report_objects import key_of

Judged = dict[tuple[str, str], tuple[Audited, ...]]


class FilesSource:
    """The state of the objects in files. ``run`` judges them."""

    def __init__(self, paths: Sequence[str], settings: Settings) -> None:
        """Reads the files. Raises Misconfigured for a file or an object that cannot be read."""
        self._objects = read_files(paths)
        self._fleet: Fleet = self._objects.fleet
        self._settings = settings
        self._judged: Judged = {}
        release = settings.release or "any"
        name = ", ".join(paths)
        reading = f"objects to judge: {len(self._objects.judged)}"
        self._state = State("reading", name, release, settings.policy.profile, unfinished=reading)

    def run(self, stopping: threading.Event | None = None) -> None:
        """
        Judges the objects and rehearses the drains, unless ``stopping`` is set. Raises BadInput for a release that cannot be
        judged.
        """
        judge = Judge(self._objects.world, self._settings)
        objects = judged_objects(judge, self._objects)
        by_name: Judged = {}
        for audited in objects:
            if is_vm(audited):
                key = audited.report.namespace, audited.report.name
                by_name[key] = (*by_name.get(key, ()), audited)
        self._judged = by_name
        fleet = self._fleet
        policies = fleet.given(MigrationPolicy)
        state = replace(
            self._state,
            release=judge.release.label,
            vms=tuple(sorted((row_of(one) for one in objects if one.is_machine), key=place_of)),
            others=tuple(sorted((one for one in objects if not is_vm(one)), key=key_of)),
            policies=matched_policies(policies, labelled(fleet), labels_by_namespace(policies, self._objects.world)),
            unread=tuple(
                sorted(UnreadReport(FLEET_BY_CLASS[kind].kind, "", why, False) for kind, why in fleet.unread.items())
            ),
            notes=judge.release.notes,
            unfinished="",
        )
        self._show(state)
        if stopping is None or not stopping.is_set():
            self._show(replace(state, drains=rehearsed(fleet, self._settings)))
        del self._objects

    def state(self) -> State:
        """The present state."""
        return self._state

    def judged(self, namespace: str, name: str) -> tuple[Audited, ...]:
        """The VirtualMachine and the VMI of this name."""
        return self._judged.get((namespace, name), ())

    def explained(self, namespace: str, name: str) -> VMExplanation | None:
        """The explanation of a VM, or None if there is no such VM."""
        try:
            return explain(self._fleet, name, namespace, release_of_rehearsal(self._settings))
        except BadInput:
            return None

    def _show(self, state: State) -> None:
        content = msgspec.json.encode(replace(state, version=""))
        self._state = replace(state, version=sha256(content).hexdigest()[:16])


def judged_objects(judge: Judge, objects: FileObjects) -> list[Audited]:
    """The judgements of all objects. VMIs are compared with their VirtualMachines, as in an audit."""
    found: dict[tuple[str, str, str], Audited] = {}
    others: list[Audited] = []
    vmis: list[ManifestObject] = []
    for one in objects.judged:
        if isinstance(one.object, VirtualMachineInstance):
            vmis.append(one)
        elif (audited := judge.judge(one, objects.world)) is not None:
            if is_vm(audited):
                found[audited.report.kind, audited.report.namespace, audited.report.name] = audited
            else:
                others.append(audited)
    for one in vmis:
        vmi = one.object
        owner = ("VirtualMachine", vmi.namespace, controlling_vm(vmi)) if vmi is not None else ("", "", "")
        machine, alone = judge.compare(found.get(owner), one, objects.world)
        if machine is not None:
            found[owner] = machine
        if alone is not None:
            others.append(alone)
    return [*found.values(), *others]


def rehearsed(fleet: Fleet, settings: Settings) -> Drains:
    """The rehearsal of the drain of each node alone."""
    try:
        return Drains(rehearse(fleet, Request((), "each", release=release_of_rehearsal(settings))))
    except BadInput as error:
        return Drains(problem=error.message)


def release_of_rehearsal(settings: Settings) -> str:
    """The release of the rehearsal. A rehearsal has one release: without a request, that of the KubeVirt CR."""
    return "" if settings.release == "any" else settings.release
