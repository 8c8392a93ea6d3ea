"""One way from manifests to an answer, shared by the command line, the dry-run API and the page."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec
from msgspec.structs import replace

from webhook.errors import BadInput
from webhook.facts.objects_world import ObjectsWorld
from webhook.facts.snapshot import NO_SNAPSHOT, Snapshot
from webhook.facts.unknown import Unknown
from webhook.facts.world import World
from webhook.judging.finding import Judgement
from webhook.judging.machines import judge, judge_manifest
from webhook.kubevirt.releases import (
    NEWEST,
    OLDEST,
    OLDEST_SUPPORTED,
    SUPPORTED,
    Releases,
    judged_as,
    only,
    parse_release,
)
from webhook.manifests.objects import ManifestObject, Manifests, is_relevant, objects_in
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.meta import Kubernetes
from webhook.policy.policy import Judged, Policy, decide_all, judged
from webhook.report.model import Examined, Report, SourceReport, build

STATUS_IGNORED = "the object is not created yet (it has no metadata.uid), so its status is ignored"


class Chosen(msgspec.Struct, frozen=True):
    """The releases to judge for, in words, and what the user should know about the choice."""

    releases: Releases
    label: str
    notes: tuple[str, ...] = ()


class Settings(msgspec.Struct, frozen=True):
    """How to check: policy, release (``any``, ``1.9``, or empty for what the KubeVirt CR says), today's date."""

    policy: Policy = msgspec.field(default_factory=Policy)
    release: str = ""
    today: str = "1970-01-01"
    """``YYYY-MM-DD``; exemptions lapse by it."""


def choose_release(asked: str, world: World) -> Chosen:
    """
    The pinned release, else the one that the KubeVirt CR's status names, else any supported one.

    Raises BadInput for a release that is asked for and cannot be judged. What runs in a cluster is never refused: where it
    cannot be judged, any release is, and a note says so.
    """
    if asked == "any":
        return Chosen(SUPPORTED, "any")
    if asked:
        judged = _as_known(asked)
        if judged is None:
            remedy = f"Write 'any' or a minor release from {OLDEST} to {NEWEST}, such as 1.8."
            raise BadInput(f"unsupported release {asked!r}", remedy=remedy)
        return judged
    found = world.every(KubeVirt)
    status = found[0].status if not isinstance(found, Unknown) and found else None
    running = (status.observed_kube_virt_version if status is not None else None) or ""
    if not running:
        return Chosen(SUPPORTED, "any")
    judged = _as_known(running)
    if judged is not None:
        return judged
    why = "which is not a release" if parse_release(running) is None else "which is older than all known releases"
    note = f"the KubeVirt CR reports version {running!a}, {why}; judged for {OLDEST_SUPPORTED} to {NEWEST}"
    return Chosen(SUPPORTED, "any", (note,))


def _as_known(version: str) -> Chosen | None:
    """The release that stands for a version, and a note where it is not the version's own; None where none does."""
    release = parse_release(version)
    judged = judged_as(release) if release is not None else None
    if judged is None:
        return None
    newer = f"KubeVirt {release} is newer than what Migratable knows; judged as {judged}"
    return Chosen(only(judged), str(judged), () if judged == release else (newer,))


def check(
    inputs: Sequence[Manifests],
    settings: Settings,
    background: Iterable[ManifestObject] = (),
    snapshot: Snapshot = NO_SNAPSHOT,
) -> Report:
    """
    Judges every object of ``inputs``; references are looked up among them, then in ``background``, then in ``snapshot``.

    Raises BadInput for a release that cannot be judged; unreadable objects are in the report.
    """
    given = [each for one in inputs for each in one.objects]
    world = ObjectsWorld((*snapshot.objects, *objects_in(background), *objects_in(given)), snapshot.complete)
    return check_in(world, inputs, settings)


def check_in(world: World, inputs: Sequence[Manifests], settings: Settings) -> Report:
    """As ``check``, with a world that is already there."""
    chosen = choose_release(settings.release, world)
    examined = [
        each for one in inputs for given in one.objects for each in examine(given, world, settings, chosen.releases)
    ]
    problems = [problem for one in inputs for problem in one.problems]
    return build(examined, problems, profile=settings.policy.profile, release=chosen.label, notes=chosen.notes)


def examine(given: ManifestObject, world: World, settings: Settings, releases: Releases) -> Iterator[Examined]:
    """Judges one object; yields nothing for objects that nothing here is about."""
    if not is_relevant(given):
        return
    by_names = judge_manifest(given.raw, releases)
    if given.object is not None:
        judged_whole = judge_given(given.object, world, releases)
        judgement = replace(judged_whole, findings=(*judged_whole.findings, *by_names.findings))
        namespace, name = given.object.namespace, given.object.name
        whom = judged(given.object, settings.policy, world, given.kind, namespace, name)
    else:
        judgement = by_names
        namespace, name = _text(given, "namespace"), _text(given, "name")
        if not judgement.findings:
            return
        whom = Judged(given.kind, namespace, name)
    source = SourceReport(given.document.source, given.document.index, given.line)
    decisions = decide_all(judgement, settings.policy, whom, settings.today)
    yield Examined(given.api_version, given.kind, namespace, name, judgement, decisions, source, given.mark, given.raw)


def judge_given(found: Kubernetes, world: World, releases: Releases) -> Judgement:
    """
    The judgement, without the object's own status unless an API server gave the object out: then it has a uid.

    Anybody can write a status into a manifest, and creating the object drops it. Where that decides, the verdict says so.
    """
    whole = judge(found, world, releases)
    if found.meta.uid or getattr(found, "status", None) is None or whole.verdict is None:
        return whole
    alone = judge(replace(found, status=None), world, releases)
    if alone.verdict is None or alone.findings == whole.findings:
        return alone
    assumptions = (*alone.verdict.assumptions, STATUS_IGNORED)
    return replace(alone, verdict=replace(alone.verdict, assumptions=assumptions))


def _text(given: ManifestObject, key: str) -> str:
    metadata = given.raw.get("metadata")
    value = metadata.get(key) if isinstance(metadata, dict) else None
    return value if isinstance(value, str) else ""
