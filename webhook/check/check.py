"""Checks manifests and returns a report, for the command line, the dry-run API and the page."""

import os
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import chain

import msgspec
from msgspec.structs import replace

from webhook.errors import BadInput
from webhook.facts.layered_world import VersionedWorld, seen_from
from webhook.facts.manifest import PatchedProblem
from webhook.facts.objects_world import NO_SNAPSHOT, ObjectsWorld, Snapshot
from webhook.facts.unknown import Unknown
from webhook.facts.world import World, labels_of_namespace
from webhook.judging.finding import Judgement
from webhook.judging.machines import judge, judge_manifest
from webhook.kubevirt.hyperconverged.lookup import with_kubevirt
from webhook.kubevirt.releases import (
    NEWEST,
    OLDEST,
    OLDEST_SUPPORTED,
    PREVIEW,
    PREVIEW_AS_OF,
    SUPPORTED,
    Releases,
    judged_as,
    only,
    parse_release,
    parse_version,
)
from webhook.kubevirt.subject import with_labels_only
from webhook.manifests.objects import (
    ManifestObject,
    Manifests,
    is_clone_of_vm,
    is_migration_request,
    is_relevant,
    is_spell_checked,
    placed_in,
)
from webhook.objects.hyper_converged import HyperConverged
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.meta import Kubernetes
from webhook.policy.policy import Decision, Policy, PolicySubject, decide_all, policy_subject
from webhook.report.building import Examined, object_report, report_of
from webhook.report.model import ObjectReport, Report, SourceReport

_MAX_UNREAD = 10
STATUS_IGNORED = "the object is not created yet (it has no metadata.uid), so its status is ignored"


class ReleaseChoice(msgspec.Struct, frozen=True):
    """The releases to judge for, their label in the report, and notes about the choice."""

    releases: Releases
    label: str
    notes: tuple[str, ...] = ()
    version: str = ""
    """The requested patch release, such as ``1.6.2``, or an empty text if none is requested."""

    def applied_to(self, world: World) -> World:
        """``world``, as a cluster that runs the requested patch release."""
        return VersionedWorld(world, self.version) if self.version else world


class Settings(msgspec.Struct, frozen=True):
    """
    Policy, release and date of a check.

    ``release`` is ``any``, a minor release such as ``1.9``, or a patch release such as ``1.6.2``. If it is empty, the release of
    the KubeVirt CR is used.
    """

    policy: Policy = msgspec.field(default_factory=Policy)
    release: str = ""
    today: str = "1970-01-01"
    """Today's date (``YYYY-MM-DD``), to find exemptions that have expired."""


class FollowUp(msgspec.Struct, frozen=True):
    """An object that is judged together with its VM after all others, such as a VMIM, and how to judge it."""

    manifest: ManifestObject
    settings: Settings
    release: ReleaseChoice


def choose_release(requested: str, world: World) -> ReleaseChoice:
    """
    Returns the requested release. If no release is requested, the function returns the release in the status of the
    KubeVirt CR. Without a KubeVirt CR, it returns the release that the HyperConverged CR deploys. If the release is unknown, it
    returns all supported releases.

    Raises BadInput if the requested release is not supported. An unsupported release of the KubeVirt CR is not an error:
    the function then returns all supported releases with a note.
    """
    if requested == "any":
        return ReleaseChoice(SUPPORTED, "any")
    if requested:
        judged = _supported(requested)
        if judged is None:
            remedy = f"Write 'any' or a minor release from {OLDEST} to {NEWEST}, such as 1.8."
            raise BadInput(f"unsupported release {requested!r}", remedy=remedy)
        return replace(judged, version=requested) if parse_version(requested) is not None else judged
    crs = with_kubevirt(world, SUPPORTED).every(KubeVirt)
    status = crs[0].status if not isinstance(crs, Unknown) and crs else None
    running = (status.observed_kube_virt_version if status is not None else None) or ""
    if not running:
        return ReleaseChoice(SUPPORTED, "any")
    judged = _supported(running)
    if judged is not None:
        return judged
    why = "which is not a release" if parse_release(running) is None else "which is older than all known releases"
    note = f"the KubeVirt CR reports version {running!a}, {why}; objects are judged for {OLDEST_SUPPORTED} to {NEWEST}"
    return ReleaseChoice(SUPPORTED, "any", (note,))


def _supported(version: str) -> ReleaseChoice | None:
    """
    Returns the supported release for a version, with a note if the two differ. Returns None for an unsupported version.
    """
    release = parse_release(version)
    judged = judged_as(release) if release is not None else None
    if judged is None:
        return None
    notes = []
    if judged != release:
        notes.append(f"KubeVirt {release} is newer than all supported releases and is judged as {judged}")
    if judged == PREVIEW:
        notes.append(f"KubeVirt {PREVIEW} is not published: objects are judged for its main branch of {PREVIEW_AS_OF}")
    return ReleaseChoice(only(judged), str(judged), tuple(notes))


def check(
    inputs: Sequence[Manifests],
    settings: Settings,
    background: Iterable[ManifestObject] = (),
    snapshot: Snapshot = NO_SNAPSHOT,
) -> Report:
    """
    Judges every object in ``inputs``. References are looked up in ``inputs``, then ``background``, then ``snapshot``.

    Raises BadInput for an unsupported release. The report lists unreadable objects.
    """
    world = ObjectsWorld(snapshot.objects, snapshot.complete, working_directory())
    fill(world, inputs, placed_in(background))
    return check_in(world, inputs, settings)


def fill(world: ObjectsWorld, inputs: Iterable[Manifests], background: Iterable[tuple[Kubernetes, str]]) -> None:
    """Adds the objects in ``inputs`` and ``background``. The objects in ``background`` serve only as references."""
    for added, source in background:
        world.add(with_labels_only(added), source, is_reference=True)
    for file in inputs:
        for added, source in placed_in(file.objects):
            world.add(with_labels_only(added), source)


def working_directory() -> str:
    """The folder to which file names are relative. If that folder was removed, the result is the root of the file system."""
    try:
        return os.getcwd()  # noqa: PTH109 - pathlib is slow to import
    except OSError:
        return "/"


def check_in(world: World, inputs: Sequence[Manifests], settings: Settings) -> Report:
    """Does the same as ``check``, but looks up references in ``world``."""
    release = choose_release(settings.release, world)
    every = [manifest for file in inputs for manifest in file.objects]
    examined = [judged for manifest in every if (judged := examine(manifest, world, settings, release)) is not None]
    problems = [problem for file in inputs for problem in file.problems]
    objects = [object_report(judged) for judged in examined]
    later = [FollowUp(manifest, settings, release) for manifest in every if is_judged_later(manifest)]
    objects, notes = with_later(objects, later, world, lambda _names: every)
    unread = [*(note for file in inputs for note in file.notes), *notes]
    return report_on(
        objects, problems, settings, release, {(judged.release, judged.notes) for judged in examined}, unread
    )


def is_judged_later(manifest: ManifestObject) -> bool:
    """Whether an object is judged together with a VM, after all other objects."""
    return is_migration_request(manifest) or is_clone_of_vm(manifest)


def with_later(
    objects: list[ObjectReport],
    later: Sequence[FollowUp],
    world: World,
    manifests_with: Callable[[Collection[str]], Iterable[ManifestObject]],
) -> tuple[list[ObjectReport], list[str]]:
    """
    The reports, with those on objects that are judged later, and notes about those that cannot be judged.

    ``manifests_with`` returns the objects of files that contain VMs with these names, because a world holds only parts of VMs.
    """
    if not later:
        return objects, []
    from webhook.check.migration_requests import with_refusals  # noqa: PLC0415 - few files have one
    from webhook.check.patched_copies import with_copies  # noqa: PLC0415

    objects = with_refusals(objects, [one for one in later if is_migration_request(one.manifest)], world)
    return with_copies(objects, [one for one in later if is_clone_of_vm(one.manifest)], world, manifests_with)


def report_on(
    objects: Sequence[ObjectReport],
    problems: Sequence[BadInput],
    settings: Settings,
    release: ReleaseChoice,
    used: Collection[tuple[str, tuple[str, ...]]],
    unread: Sequence[str] = (),
) -> Report:
    """
    The report on judged objects.

    ``used`` contains the label and the notes of each release that objects were judged for. It is empty if no object was judged.
    ``unread`` contains notes about VMs that are not checked, because they are inside objects that are not read.
    """
    used = used or {(release.label, release.notes)}
    label = ", ".join(sorted({label for label, _ in used}, key=_by_number))
    notes = sorted(set(chain.from_iterable(notes for _, notes in used)))
    notes += unread[:_MAX_UNREAD]
    if len(unread) > _MAX_UNREAD:
        notes.append(f"{len(unread) - _MAX_UNREAD} more objects contain a VM that is not checked")
    if any(judged.references for judged in objects):
        from webhook.report.ties import tie_notes  # noqa: PLC0415 - few repositories have different objects with one name

        notes += tie_notes(objects)
    return report_of(objects, problems, profile=settings.policy.profile, release=label, notes=notes)


def _by_number(label: str) -> tuple[int, ...]:
    """A sort key for release labels: the oldest release first, ``any`` last."""
    release = parse_release(label)
    return release if release is not None else (10_000,)


def examine(
    manifest: ManifestObject,
    world: World,
    settings: Settings,
    release: ReleaseChoice,
    refusal: str = "",
    patched: tuple[PatchedProblem, ...] = (),
) -> Examined | None:
    """
    Judges one object. The result is None for a kind that no rule checks, and for an object that is only looked up and has no
    finding.

    ``release`` applies unless a KubeVirt CR in a nearer folder sets another release. ``refusal`` is the reason why KubeVirt
    refuses a VirtualMachineInstanceMigration, if it does. ``patched`` are the violations of a patched copy.
    """
    if not is_relevant(manifest) and not (
        is_spell_checked(manifest) and judge_manifest(manifest.raw, release.releases).findings
    ):
        return None
    obj, source = manifest.object, manifest.document.source
    world, view = seen_from(world, source, obj)
    if view is not None and not settings.release:
        release = choose_release("", world)
    world = release.applied_to(world)
    releases = release.releases
    judgement = judge_manifest(manifest.raw, releases, refusal, patched)
    if obj is not None:
        of_object = _judge_manifest_object(manifest, obj, world, releases)
        judgement = Judgement((*of_object.findings, *judgement.findings), of_object.verdict)
        namespace, name = obj.namespace, obj.name
    elif judgement.findings:
        namespace, name = _text(manifest, "namespace"), _text(manifest, "name")
    else:
        return None
    return Examined(
        manifest.api_version,
        manifest.kind,
        namespace,
        name,
        judgement,
        _decisions(judgement, manifest, namespace, name, world, settings) if judgement.findings else (),
        SourceReport(source, manifest.document.index, manifest.line) if source else None,
        manifest.mark if source else None,
        manifest.raw,
        release.label,
        (*release.notes, *_differences(obj, world, releases)),
        view.choices if view is not None else (),
        manifest.within,
    )


def _decisions(
    judgement: Judgement, manifest: ManifestObject, namespace: str, name: str, world: World, settings: Settings
) -> tuple[Decision, ...]:
    """The decisions of the policy about the findings of an object."""
    if manifest.object is None:
        subject = PolicySubject(manifest.kind, namespace, name)
    else:
        labels = labels_of_namespace(namespace, world) if settings.policy.reads_labels else None
        subject = policy_subject(manifest.object, manifest.kind, namespace, name, labels)
    return decide_all(judgement, settings.policy, subject, settings.today)


def _judge_manifest_object(manifest: ManifestObject, obj: Kubernetes, world: World, releases: Releases) -> Judgement:
    if not manifest.placeholders and not manifest.defaults:
        return judge_object(obj, world, releases)
    from webhook.check.placeholders import judge_templated  # noqa: PLC0415 - only for templates with parameters

    return judge_templated(manifest, obj, lambda variant: judge_object(variant, world, releases), releases)


def _differences(judged: Kubernetes | None, world: World, releases: Releases) -> tuple[str, ...]:
    """Notes about the settings in which the KubeVirt CR differs from a HyperConverged CR."""
    if not isinstance(judged, HyperConverged):
        return ()
    from webhook.kubevirt.hyperconverged.differences import differences  # noqa: PLC0415 - few inputs have one

    return differences(judged, world, releases)


def judge_object(obj: Kubernetes, world: World, releases: Releases) -> Judgement:
    """
    The judgement of an object. The status counts only if the object has a uid, which an API server sets.

    The status of a manifest is not reliable: an API server drops it on creation. If the status would change the result, the
    verdict lists this as an assumption.
    """
    whole = judge(obj, world, releases)
    if obj.meta.uid or getattr(obj, "status", None) is None or whole.verdict is None:
        return whole
    without_status = judge(replace(obj, status=None), world, releases)
    if without_status.verdict is None or without_status.findings == whole.findings:
        return without_status
    assumptions = (*without_status.verdict.assumptions, STATUS_IGNORED)
    return replace(without_status, verdict=replace(without_status.verdict, assumptions=assumptions))


def _text(manifest: ManifestObject, key: str) -> str:
    metadata = manifest.raw.get("metadata")
    value = metadata.get(key) if isinstance(metadata, dict) else None
    return value if isinstance(value, str) else ""
