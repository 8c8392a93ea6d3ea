"""The files that kustomizations name as patches, in generated repositories."""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.surfaces.cli.charts import write
from webhook.manifests.files import read_all
from webhook.manifests.sources import Sources

FOLDERS = ("base", "overlays/dev", "overlays/prod", "patches")
FILES = ("a.yaml", "b.yaml", "c.json")
PATHS = [f"{folder}/{file}" for folder in FOLDERS for file in FILES]
NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
HEADERS = (
    {},
    {"kind": "Kustomization"},
    {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"},
    {"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component"},
)
PATCH_FIELDS = ("patches", "patchesJson6902", "patchesStrategicMerge")


@st.composite
def kustomizations(draw: st.DrawFn, folder: str) -> tuple[str, str, set[str], set[str]]:
    """The path and text of a kustomization, and the paths of its resources and patches."""
    resources, patches = (
        draw(st.sets(st.sampled_from(PATHS), max_size=4)),
        draw(st.sets(st.sampled_from(PATHS), max_size=4)),
    )

    def spelled(path: str) -> str:
        relative = os.path.relpath(path, folder)
        return draw(st.sampled_from([relative, f"./{relative}", f"../{folder.rpartition('/')[2]}/{relative}"]))

    value: dict[str, object] = {**draw(st.sampled_from(HEADERS)), "namePrefix": "a-"}
    value["resources"] = [spelled(path) for path in sorted(resources)]
    for path in sorted(patches):
        field = draw(st.sampled_from(PATCH_FIELDS))
        items = value.setdefault(field, [])
        assert isinstance(items, list)
        items.append(spelled(path) if field == "patchesStrategicMerge" else {"path": spelled(path)})
    return f"{folder}/{draw(st.sampled_from(NAMES))}", json.dumps(value, indent=1), resources, patches


@st.composite
def repositories(draw: st.DrawFn) -> tuple[dict[str, str], set[str]]:
    """The texts of a repository by path, and the paths of the files that are only patches."""
    texts = {path: json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": path}}) for path in PATHS}
    resources, patches = set[str](), set[str]()
    for folder in draw(st.lists(st.sampled_from(FOLDERS), unique=True)):
        name, text, own_resources, own_patches = draw(kustomizations(folder))
        texts[name] = text
        resources |= own_resources
        patches |= own_patches
    return texts, patches - resources


def read(root: Path, paths: list[str]) -> tuple[set[str], set[str]]:
    """The names of the objects that are read, and the files that are left out as patches."""
    sources = Sources()
    files = read_all([f"{root}/{path}" for path in paths], recursive=True, sources=sources)
    assert not any(file.problems for file in files)
    named = {manifest.object.name for file in files for manifest in file.objects if manifest.object is not None}
    raw = {manifest.raw["metadata"]["name"] for file in files for manifest in file.objects}
    return named | raw, {os.path.relpath(name, root) for name in sources.patches}


def written(root: Path, texts: Mapping[str, str]) -> Path:
    write(root, **texts)
    return root


@settings(max_examples=60, deadline=None)
@given(repositories(), st.permutations([*FOLDERS, "."]))
def test_files_that_are_only_patches_are_left_out(
    repository: tuple[dict[str, str], set[str]], order: list[str]
) -> None:
    """
    All others are read. The order of arguments does not matter.
    """
    texts, patches = repository
    with tempfile.TemporaryDirectory() as folder:
        root = written(Path(folder).resolve(), texts)

        assert read(root, ["."]) == (set(PATHS) - patches, patches)
        assert read(root, order) == (set(PATHS) - patches, patches)
