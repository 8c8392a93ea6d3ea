"""
Leaves out the parts of kustomizations and charts in a search: patches, templates, and files with settings.

A part of a kustomization or a chart is not an object that a cluster gets. ``check -k`` and ``check --helm`` judge the result.
"""

import os
from collections.abc import Iterator, Sequence

from webhook.errors import BadInput
from webhook.manifests.earlier_reports import is_report
from webhook.manifests.kustomizations import Kustomization, read_kustomization
from webhook.manifests.objects import Manifests, is_other_file
from webhook.manifests.search import KUSTOMIZATIONS, File, is_within, shown
from webhook.manifests.sources import Sources
from webhook.yaml.document import Document, JsonValue, read_documents

_CHART = "Chart.yaml"


def without_patches(
    entries: Sequence[File | Manifests], above: Sequence[str], sources: Sources
) -> Iterator[File | Manifests]:
    """
    Yields the entries without kustomizations and their patches. A patch that is also a resource is kept.

    ``above`` has the paths of kustomizations outside of the searched folders. A kustomization that cannot be read is kept, so
    that it is reported as a problem.
    """
    found: dict[int, Kustomization] = {}
    for number, entry in enumerate(entries):
        kustomization = (
            _kustomization(entry) if isinstance(entry, File) and _name(entry.path) in KUSTOMIZATIONS else None
        )
        if kustomization is not None:
            found[number] = kustomization
    sources.kustomizations += found.values()
    all_found = [*found.values(), *filter(None, (_kustomization(File(path, real=path)) for path in above))]
    sources.settings |= {os.path.realpath(each.located(name)) for each in all_found for name in each.settings}
    patches = {os.path.realpath(each.located(name)) for each in all_found for name in each.patches}
    patches -= {os.path.realpath(each.located(name)) for each in all_found for name in each.resources}
    for number, entry in enumerate(entries):
        if number in found or not (
            isinstance(entry, Manifests) or entry.is_named or _name(entry.path) != KUSTOMIZATIONS[-1]
        ):
            continue
        if isinstance(entry, File) and entry.real in patches:
            sources.patches[shown(entry.path)] = None
        else:
            yield entry


def _kustomization(file: File) -> Kustomization | None:
    if not os.path.isfile(file.path) or (file.is_link and file.root and not is_within(file.real, file.root)):
        return None
    try:
        return read_kustomization(file.path)
    except (BadInput, OSError):
        return None


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def judged_part(file: File, content: bytes, manifests: Manifests, sources: Sources) -> Manifests:
    """
    Returns the objects and problems of a file, without the parts of a kustomization or a chart. Adds these parts to
    ``sources``.
    """
    if b"$patch" in content:
        manifests = _without_patches(content, manifests, shown(file.path), sources)
    if not manifests.problems:
        return manifests
    return _instead_of_problems(file, content, manifests, sources) or manifests


def _without_patches(content: bytes, manifests: Manifests, name: str, sources: Sources) -> Manifests:
    """
    Returns the manifests without objects that contain a ``$patch`` directive, which only a strategic merge patch can contain.
    """
    try:
        patches = {document.index for document in read_documents(content, name) if _has_directive(document.value)}
    except BadInput:
        return manifests
    if not patches:
        return manifests
    sources.patches[name] = None
    return Manifests(
        tuple(manifest for manifest in manifests.objects if manifest.document.index not in patches),
        tuple(problem for problem in manifests.problems if problem.document not in patches),
        manifests.notes,
    )


def _has_directive(value: JsonValue) -> bool:
    waiting = [value]
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, dict):
            if "$patch" in inner:
                return True
            waiting += inner.values()
        elif isinstance(inner, list):
            waiting += inner
    return False


def _instead_of_problems(file: File, content: bytes, manifests: Manifests, sources: Sources) -> Manifests | None:
    """
    Returns the readable objects of a file with problems that is not a manifest, and None for a manifest.

    Adds the file to ``sources``. A file that the user named remains an error, and its remedy explains how to render a chart.
    """
    name = shown(file.path)
    chart = _chart_of(file.path, content)
    if file.is_named:
        for problem in manifests.problems if chart else ():
            problem.remedy = f"Render the chart: migratable check --helm {shown(chart)}"
        if not chart and (patches := _documents(content)) and all(map(_is_json_patch, patches)):
            for problem in manifests.problems:
                problem.remedy = "This is a patch. Render its kustomization: migratable check -k FOLDER"
        return None
    if chart:
        templates = sources.charts.setdefault(shown(chart), set())
        if _name(file.path) != _CHART:
            templates.add(name)
        return Manifests(manifests.objects, ())
    documents = _documents(content)
    if documents and all(map(_is_json_patch, documents)):
        sources.patches[name] = None
        return Manifests((), ())
    if (
        is_other_file(content, manifests)
        or is_report(content)
        or file.real in sources.settings
        or _is_values(file.path, documents)
        or _is_template_of_role(file.path, content)
    ):
        sources.others[name] = None
        return Manifests((), ())
    return None


def _chart_of(path: str, content: bytes) -> str:
    """Returns the folder of the chart if the file is the Chart.yaml or a template of a chart, otherwise ''."""
    folder = os.path.dirname(path) or "."
    if _name(path) == _CHART:
        return "" if b"\nkind:" in content or content.startswith(b"kind:") else _outermost(folder)
    if b"{{" not in content:
        return ""
    return next((_outermost(above) for above in _above_templates(path) if os.path.isfile(f"{above}/{_CHART}")), "")


def _is_template_of_role(path: str, content: bytes) -> bool:
    """Whether a file is a Jinja template of an Ansible role: it is below ``templates``, next to ``tasks``."""
    is_template = b"{{" in content or b"{%" in content
    return is_template and any(os.path.isdir(f"{above}/tasks") for above in _above_templates(path))


def _above_templates(path: str) -> Iterator[str]:
    """Yields the folder above each folder ``templates`` in an absolute or relative path, the nearest first."""
    parts = path.split("/")
    for index in range(len(parts) - 2, -1, -1):
        if parts[index] == "templates":
            yield "/".join(parts[:index]) or ("/" if path.startswith("/") else ".")


def _outermost(folder: str) -> str:
    """Returns the folder of the outermost chart that contains this chart as a subchart."""
    above, name = os.path.split(os.path.dirname(folder))
    parent = above or "."
    return _outermost(parent) if name == "charts" and os.path.isfile(f"{parent}/{_CHART}") else folder


def _documents(content: bytes) -> list[Document]:
    try:
        return read_documents(content, "")
    except BadInput:
        return []


def _is_json_patch(document: Document) -> bool:
    """Whether a document is a JSON Patch (RFC 6902), which kustomize also reads as YAML."""
    value = document.value
    return isinstance(value, list) and all(isinstance(item, dict) and {"op", "path"} <= item.keys() for item in value)


def _is_values(path: str, documents: Sequence[Document]) -> bool:
    """Whether a file contains values of a chart. Values may mention API groups."""
    folder = os.path.dirname(path) or "."
    # the file can also be in a folder of the chart, such as ci/
    charts = (f"{folder}/{_CHART}", f"{os.path.dirname(folder) or '.'}/{_CHART}")
    return (
        "values" in _name(path)
        and any(map(os.path.isfile, charts))
        and not any(isinstance(each.value, dict) and {"apiVersion", "kind"} & each.value.keys() for each in documents)
    )
