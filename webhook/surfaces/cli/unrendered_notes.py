"""Notes about kustomizations and charts that a check does not render."""

import os
from collections.abc import Iterator, Sequence
from shlex import quote

from webhook.manifests.files import Sources
from webhook.manifests.search import shown

_MAX_NAMES = 5


def unrendered_notes(sources: Sources) -> Iterator[str]:
    """
    A note about all kustomizations, one about all charts, and one about all patches.

    The note names overlays, but not the bases and components that overlays use.
    """
    roots = _roots(sources)
    if roots:
        one = len(roots) == 1
        counted = "1 kustomization is" if one else f"{len(roots)} kustomizations are"
        files = "The files that it names were" if one else "The files that they name were"
        yield f"{counted} not rendered: {_listed(roots)}. {files} checked one by one. Check the result: {_command('-k', roots)}"
    charts = {name: found for name, found in sorted(sources.charts.items()) if not _is_rendered(name, sources)}
    if charts:
        counted = "1 chart is" if len(charts) == 1 else f"{len(charts)} charts are"
        count = len(set[str]().union(*charts.values()))
        templates = "" if not count else " (1 template left out)" if count == 1 else f" ({count} templates left out)"
        names = [*charts]
        yield f"{counted} not rendered: {_listed(names)}{templates}. Check the result: {_command('--helm', names)}"
    if sources.patches:
        names = [*sources.patches]
        counted = "1 patch of a kustomization is" if len(names) == 1 else f"{len(names)} patches of kustomizations are"
        yield f"{counted} left out: {_listed(names)}"


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
    return sorted(shown(each.folder) for each in roots or left.values())


def _is_rendered(folder: str, sources: Sources) -> bool:
    return os.path.realpath(folder) in sources.rendered_folders


def _listed(names: Sequence[str]) -> str:
    more = [f"and {len(names) - _MAX_NAMES} more"] if len(names) > _MAX_NAMES else []
    listed = ["the working folder" if name == "." else name for name in names[:_MAX_NAMES]]
    return ", ".join([*listed, *more])


def _command(flag: str, names: Sequence[str]) -> str:
    return "migratable check " + " ".join(f"{flag} {quote(name)}" for name in names[:_MAX_NAMES])
