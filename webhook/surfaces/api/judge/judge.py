"""Reads and judges the body of a dry-run request, and renders the report. This file does no I/O."""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from webhook.check.check import Settings, check_in, fill
from webhook.errors import BadInput
from webhook.facts.layered_world import LayeredWorld
from webhook.facts.objects_world import ObjectsWorld
from webhook.facts.world import World
from webhook.manifests.objects import ManifestObject, Manifests, is_relevant, read_manifests
from webhook.objects.meta import Kubernetes
from webhook.report import as_json
from webhook.surfaces.api.judge.extras import MOST_COMPARED, compared, with_edits
from webhook.surfaces.api.judge.messages import Extras


def namespaces_in(content: bytes) -> list[str]:
    """The namespaces of the objects to judge in a body. Raises BadInput."""
    return sorted({_namespace(manifest) for manifest in _read(content).objects if is_relevant(manifest)})


def report_on(
    content: bytes,
    settings: Settings,
    background: Iterable[tuple[Kubernetes, str]] = (),
    behind: World | None = None,
    notes: Sequence[str] = (),
    extras: Extras = Extras(),  # noqa: B008 - immutable
) -> bytes:
    """
    The report on the manifests in a body, as JSON. Raises BadInput, for an unreadable body unless ``extras.unreadable``.

    References are looked up in the manifests, then in ``background``, then in ``behind``.
    """
    inputs = read_manifests(content, "-") if extras.unreadable else _read(content)
    given = ObjectsWorld(())
    fill(given, [inputs], background)
    world: World = given
    if behind is not None:
        world = LayeredWorld(world, behind)
    report = check_in(world, [inputs], settings)
    if extras.compare and len(content) <= MOST_COMPARED:
        report = compared(report, lambda release: check_in(world, [inputs], replace(settings, release=release)))
    if extras.edits:
        report = with_edits(report, content, inputs.objects)
    if notes:
        report = replace(report, notes=[*report.notes, *notes])
    return as_json.render(report).encode()


def _read(content: bytes) -> Manifests:
    """The objects in a body. If all objects are unreadable, raises the first problem."""
    inputs = read_manifests(content, "-")
    if inputs.problems and not inputs.objects:
        raise inputs.problems[0]
    if not content.strip():
        raise BadInput("the body is empty", remedy="Send manifests as YAML or JSON.")
    return inputs


def _namespace(manifest: ManifestObject) -> str:
    namespace = manifest.object.namespace if manifest.object is not None else ""
    return namespace or "default"
