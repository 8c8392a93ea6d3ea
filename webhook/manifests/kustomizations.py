"""
Reads the names of files and folders in kustomizations. This module renders no kustomization.

The fields are the fields of kustomize 5 (api/types/kustomization.go), including deprecated fields.
"""

import os
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from webhook.errors import BadInput
from webhook.manifests.search import KUSTOMIZATIONS
from webhook.yaml.document import JsonValue, read_documents

_GROUP: Final = "kustomize.config.k8s.io/"
_TOP_LEVEL: Final = """
    bases buildMetadata commonAnnotations commonLabels components configMapGenerator configurations crds generatorOptions
    generators helmCharts helmGlobals images labels namePrefix nameSuffix namespace openapi patches patchesJson6902
    patchesStrategicMerge replacements replicas resources secretGenerator sortOptions transformers validators vars
"""
_FIELDS: Final = frozenset(_TOP_LEVEL.split())
"""The fields of a kustomization besides apiVersion and kind."""


class Kustomization(msgspec.Struct, frozen=True):
    """The content of one kustomization. Paths are relative to the folder of the kustomization, as written."""

    path: str
    resources: tuple[str, ...]
    """Files, folders and addresses of ``resources`` and ``bases``."""
    components: tuple[str, ...]
    patches: tuple[str, ...]
    """Files with patches. Patches in the kustomization itself are not included."""
    settings: tuple[str, ...]
    """Files that are neither objects nor patches: configurations of transformers, and contents of ConfigMaps and Secrets."""
    literals: tuple[str, ...]
    """Contents of Secrets, as ``key=value``."""
    secret_files: tuple[str, ...]
    """Files with contents of Secrets, with one ``key=value`` on each line."""
    texts: tuple[str, ...]
    """Patches and transformers that are written in the kustomization."""
    is_component: bool
    makes_objects: bool
    """Whether a chart, a generator or a transformer can make objects that no file of ``resources`` contains."""

    @property
    def folder(self) -> str:
        """The folder of the kustomization."""
        return os.path.dirname(self.path) or "."

    def located(self, name: str) -> str:
        """Returns the path of a file or folder that the kustomization names."""
        return os.path.normpath(os.path.join(self.folder, name))


def file_in(folder: str) -> str | None:
    """Returns the path of the kustomization in a folder."""
    paths = (name if folder == "." else f"{folder.rstrip('/')}/{name}" for name in KUSTOMIZATIONS)
    return next((path for path in paths if os.path.isfile(path)), None)


def read_kustomization(path: str) -> Kustomization | None:
    """
    Returns the kustomization in a file, or None if the file has another kind, such as the Kustomization of Flux. Raises
    BadInput for a file that is not YAML, and OSError for a file that cannot be read.
    """
    with open(path, "rb") as file:
        documents = read_documents(file.read(), path)
    value = documents[0].value if len(documents) == 1 else None
    if not isinstance(value, dict) or not _is_kustomization(value):
        return None
    names = [name for name in _strings(value, "patchesStrategicMerge") if _is_path(name)]
    names += _paths(value, "patches", "patchesJson6902")
    generators = [item for key in ("configMapGenerator", "secretGenerator") for item in _items(value, key)]
    settings = [
        name.rpartition("=")[2] for item in generators for key in ("files", "envs") for name in _strings(item, key)
    ]
    settings += [name for item in generators for name in _strings(item, "env")]
    settings += [*_strings(value, "configurations"), *_paths(value, "replacements", "openapi")]
    settings += [name for chart in _items(value, "helmCharts") for name in _strings(chart, "valuesFile")]
    return Kustomization(
        path,
        (*_strings(value, "resources"), *_strings(value, "bases")),
        tuple(_strings(value, "components")),
        tuple(names),
        tuple(settings),
        tuple(name for item in _items(value, "secretGenerator") for name in _strings(item, "literals")),
        tuple(
            name for item in _items(value, "secretGenerator") for key in ("env", "envs") for name in _strings(item, key)
        ),
        tuple(_texts(value)),
        value.get("kind") == "Component",
        any(value.get(key) for key in ("generators", "helmCharts", "helmChartInflationGenerator", "transformers")),
    )


def _is_kustomization(value: dict[str, JsonValue]) -> bool:
    """Both apiVersion and kind are optional (types.Kustomization.FixKustomizationPostUnmarshal)."""
    version, kind = value.get("apiVersion"), value.get("kind")
    if version is None and kind in (None, "Kustomization", "Component"):
        return kind is not None or bool(_FIELDS & value.keys())
    return isinstance(version, str) and version.startswith(_GROUP)


def _strings(value: dict[str, JsonValue], key: str) -> Iterator[str]:
    """Yields the texts of a field that contains one text or a list of texts."""
    found = value.get(key)
    yield from (item for item in (found if isinstance(found, list) else [found]) if isinstance(item, str))


def _items(value: dict[str, JsonValue], key: str) -> Iterator[dict[str, JsonValue]]:
    """Yields the mappings of a field."""
    found = value.get(key)
    yield from (item for item in (found if isinstance(found, list) else [found]) if isinstance(item, dict))


def _paths(value: dict[str, JsonValue], *keys: str) -> list[str]:
    return [name for key in keys for item in _items(value, key) for name in _strings(item, "path")]


def _texts(value: dict[str, JsonValue]) -> Iterator[str]:
    for key in ("patchesStrategicMerge", "generators", "transformers", "validators"):
        yield from (text for text in _strings(value, key) if not _is_path(text))
    for key in ("patches", "patchesJson6902"):
        yield from (text for item in _items(value, key) for text in _strings(item, "patch"))


def _is_path(name: str) -> bool:
    """Whether an item of ``patchesStrategicMerge`` is a path and not a patch."""
    return "\n" not in name.strip() and not name.lstrip().startswith("{") and ": " not in name


def reachable(folder: str) -> Iterator[Kustomization]:
    """
    Yields the kustomization in a folder, and the kustomizations in the folders that it names.

    Raises BadInput for a kustomization that cannot be read, and for a file or folder that does not exist. Also raises BadInput
    for an address, because rendering must not need a network.
    """
    waiting, seen = [os.path.normpath(folder)], set[str]()
    while waiting:
        path = file_in(waiting.pop())
        if path is None or path in seen:
            continue
        seen.add(path)
        try:
            found = read_kustomization(path)
        except OSError as error:
            message, remedy = f"cannot be read: {error.strerror}", "Check the permissions of the file."
            raise BadInput(message, remedy=remedy, source=path) from None
        if found is None:
            raise BadInput("not a kustomization", remedy="Name a folder with a kustomization.", source=path)
        _refuse_missing(found, [*found.resources, *found.components, *found.patches])
        yield found
        folders = map(found.located, (*found.resources, *found.components))
        waiting += [name for name in folders if os.path.isdir(name)]


def _refuse_missing(found: Kustomization, names: Sequence[str]) -> None:
    for name in names:
        if not os.path.exists(found.located(name)):
            is_remote = "://" in name or "?ref=" in name or name.startswith(("github.com", "git@"))
            what = "is remote, and Migratable does not use the network" if is_remote else "does not exist"
            command = f"kubectl kustomize {found.folder} | migratable check -"
            remedy = f"Render it yourself: {command}" if is_remote else "Correct the path."
            raise BadInput(f"{name!r} {what}", remedy=remedy, source=found.path)
