"""Notes about kustomizations and charts that a check does not render."""

import os
from collections.abc import Iterator, Mapping, Sequence
from shlex import quote

from webhook.manifests.kustomizations import Kustomization
from webhook.manifests.search import shown
from webhook.manifests.sources import Sources
from webhook.yaml.document import MAX_BYTES

_MAX_NAMES = 5
_MARKS = (b"kubevirt.io/", b"k8s.cni.cncf.io/", b"storage.k8s.io/", b"PersistentVolumeClaim")
_MARKS_IN_TEXT = tuple(mark.decode() for mark in _MARKS)


def unrendered_notes(sources: Sources) -> Iterator[str]:
    """
    A note about all kustomizations, one about all charts, one about all patches, and one about files that were judged only as
    parts of rendered texts.

    The note names overlays, but not the bases and components that overlays use. It does not name kustomizations without a
    VM or an object that a VM can refer to, because rendering them changes no verdict.
    """
    roots = _roots(sources)
    if roots:
        one = len(roots) == 1
        counted = "1 kustomization is" if one else f"{len(roots)} kustomizations are"
        files = "The files that it names were" if one else "The files that they name were"
        checked = "" if sources.judged_rendered else f" {files} checked one by one."
        yield f"{counted} not rendered: {_listed(roots)}.{checked} Check the result: {_command('-k', roots)}"
    charts = {name: found for name, found in sorted(sources.charts.items()) if not _is_rendered(name, sources)}
    if charts:
        counted = "1 chart is" if len(charts) == 1 else f"{len(charts)} charts are"
        count = len(set[str]().union(*charts.values()))
        templates = "" if not count else " (1 template left out)" if count == 1 else f" ({count} templates left out)"
        names = [*charts]
        yield f"{counted} not rendered: {_listed(names)}{templates}. Check the result: {_command('--helm', names)}"
    applied = {shown(path) for parts in sources.parts.values() for path in parts.patches}
    if names := [name for name in sources.patches if name not in applied]:
        counted = "1 patch of a kustomization is" if len(names) == 1 else f"{len(names)} patches of kustomizations are"
        yield f"{counted} left out: {_listed(names)}"
    if sources.judged_rendered:
        names = [*sources.judged_rendered]
        counted = "1 file is" if len(names) == 1 else f"{len(names)} files are"
        yield f"{counted} judged only as rendered: {_listed(names)}"


def _roots(sources: Sources) -> list[str]:
    """
    The folders of kustomizations that are neither rendered nor a part of another kustomization. If each is a part of
    another one, the result has all folders.
    """
    found = {os.path.realpath(each.folder): each for each in sources.kustomizations}
    parts = {
        os.path.realpath(each.located(name)) for each in found.values() for name in (*each.resources, *each.components)
    }
    left = {folder: each for folder, each in found.items() if not _is_rendered(folder, sources)}
    roots = [each for folder, each in left.items() if folder not in parts and not each.is_component]
    return sorted(shown(each.folder) for each in roots or left.values() if _can_contain_vms(each, found))


def _can_contain_vms(kustomization: Kustomization, found: Mapping[str, Kustomization]) -> bool:
    """
    Whether a kustomization, or one that it names, can make a VM or an object that a VM can refer to. ``found`` has the
    kustomizations by the real paths of their folders.
    """
    waiting, seen = [kustomization], set[str]()
    while waiting:
        inner = waiting.pop()
        seen.add(inner.path)
        if inner.makes_objects or any(mark in text for text in inner.texts for mark in _MARKS_IN_TEXT):
            return True
        for name in (*inner.resources, *inner.components, *inner.patches):
            path = inner.located(name)
            folder = found.get(os.path.realpath(path))
            if folder is None and _mentions_vms(path):
                return True
            if folder is not None and folder.path not in seen:
                waiting.append(folder)
    return False


def _mentions_vms(path: str) -> bool:
    """Whether a file mentions an API that Migratable reads. A file or folder that cannot be read might."""
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_BYTES)
    except (OSError, ValueError):
        return True
    return any(mark in content for mark in _MARKS)


def _is_rendered(folder: str, sources: Sources) -> bool:
    return os.path.realpath(folder) in sources.rendered_folders


def _listed(names: Sequence[str]) -> str:
    more = [f"and {len(names) - _MAX_NAMES} more"] if len(names) > _MAX_NAMES else []
    listed = ["the working folder" if name == "." else name for name in names[:_MAX_NAMES]]
    return ", ".join([*listed, *more])


def _command(flag: str, names: Sequence[str]) -> str:
    return "migratable check " + " ".join(f"{flag} {quote(name)}" for name in names[:_MAX_NAMES])
