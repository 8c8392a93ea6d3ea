"""Files in a searched folder that are not Kubernetes manifests."""

from pathlib import Path

import pytest

from tests.surfaces.manifests import GOOD
from webhook.manifests.files import read_all
from webhook.manifests.sources import Sources

OTHER = {
    ".github/workflows/ci.yml": "on: [push]\njobs: {check: {runs-on: ubuntu-24.04, steps: []}}\n",
    ".gitlab-ci.yml": "check:\n  script: [!reference [.base, script]]\n",
    ".pre-commit-config.yaml": "repos: []\n",
    "mkdocs.yml": "site_name: !ENV [NAME, x]\n",
    "package.json": '{"name": "web", "scripts": {}}\n',
    "tsconfig.json": '{\n  // comment\n  "a": "https://x"\n}\n',
    ".vscode/settings.json": '// comment\n{"a": 1} /* b */\n',
    "report.json": '[{"check_name": "LM101"}]\n',
    "values.yaml": "image: {tag: v1}\n---\nreplicas: 1\n",
    "templates/role.yaml": "apiVersion: rbac/v1\nkind: Role\nmetadata:\n  {{- with .Values.labels }}\n  labels: {{ . }}\n",
    "playbook.yml": "- hosts: all\n  tasks: [{name: a, copy: {src: x}}]\n",
    "words.yml": "just words\n",
}
BROKEN = {
    "misspelt group": "kind: VirtualMachine\nspec: {}\n",
    "no kind": "apiVersion: v1\nmetadata: {name: a}\n",
    "JSON": '{"apiVersion": "v1", "metadata": {}}\n',
    "one document of two": f"{GOOD}---\nspec: {{}}\n",
    "broken YAML": "apiVersion: v1\nkind: Secret\nmetadata: {\n",
    "a claim with a key of a mapping": '{"kind": "PersistentVolumeClaim", "apiVersion": }',
    "JSON with comments and a kind": '{\n  // comment\n  "kind": "Pod"\n',
    "broken JSON with an address": '{"a": "http://x"',
    "broken YAML without a kind": "a: [\n",
    "an alias that contains itself": "a: &a [*a]\n",
    "a tag in a manifest": "apiVersion: v1\nkind: Secret\ndata: !vault x\n",
    "UTF-16": "apiVersion: kubevirt.io/v1\n".encode("utf-16").decode("latin-1"),
    "a template of a VM": "apiVersion: kubevirt.io/v1\nkind: VirtualMachine\nmetadata: {{ .Values.meta }}\n",
    "text that mentions KubeVirt": "annotations: {kubevirt.io/x: a}\n",
    "text that mentions Multus": "annotations: {k8s.cni.cncf.io/networks: a}\n",
}


def written(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="latin-1")
    return str(path)


@pytest.mark.parametrize("name", OTHER)
def test_another_file_in_a_folder_is_counted_and_is_an_error_if_named(tmp_path: Path, name: str) -> None:
    """
    A search adds the file to ``others`` and reports no problem. The same file as an argument is a problem.
    """
    path = written(tmp_path, name, OTHER[name])
    sources = Sources()

    searched = read_all([str(tmp_path)], recursive=True, sources=sources)
    named = read_all([path], recursive=True, sources=Sources())

    assert [file.problems for file in searched] == [()]
    assert [*sources.others] == [path]
    assert named[0].problems


@pytest.mark.parametrize("kind", BROKEN)
def test_a_manifest_with_problems_in_a_folder_is_an_error(tmp_path: Path, kind: str) -> None:
    """
    A file with apiVersion or kind, or with a group of KubeVirt or Multus in its text, is never left out.
    """
    written(tmp_path, "a.yaml", BROKEN[kind])
    sources = Sources()

    (file,) = read_all([str(tmp_path)], recursive=True, sources=sources)

    assert file.problems
    assert not sources.others


@pytest.mark.parametrize("folder", [".git", ".hg", ".svn", "vms/.git"])
def test_folders_of_version_control_are_not_searched(tmp_path: Path, folder: str) -> None:
    """
    Files below them are neither read nor counted.
    """
    written(tmp_path, f"{folder}/config.yaml", "a: [\n")
    written(tmp_path, "vms/vm.yaml", GOOD)
    sources = Sources()

    files = read_all([str(tmp_path)], recursive=True, sources=sources)

    assert ([file.problems for file in files], sources.others) == ([()], {})
