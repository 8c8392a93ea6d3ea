"""Errors of kustomize and helm in `migratable check` do not contain secret values."""

from pathlib import Path

import pytest

from tests.surfaces.cli.charts import put_programs, write, write_chart, write_overlays
from tests.surfaces.running import Ran, migratable

pytestmark = pytest.mark.helm


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with overlays and a chart, and kubectl and helm on PATH."""
    put_programs(monkeypatch, tmp_path / "bin", "kubectl", "helm")
    write_overlays(tmp_path / "repo")
    write_chart(tmp_path / "repo")
    return tmp_path / "repo"


def check(root: Path, *arguments: str) -> Ran:
    return migratable("check", *arguments, "--isolated", "--release", "1.9", cwd=root)


SECRETS = {
    "values file": ("{{ fail .Values.password }}", ("--values", "v.yaml")),
    "a key that is not secret": ("{{ fail .Values.db.pw }}", ("--values", "v.yaml")),
    "chart": ("{{ fail .Values.password }}", ()),
    "setting": ("{{ fail .Values.word }}", ("--set", "word=hunter2")),
    "type": ("a: {{ mustToDate .Values.password 1 }}", ()),
    "text of a template": (
        "a: [\npassword: {{ fail (printf `password: %s` .Values.other) }}",
        ("--set", "other=hunter2"),
    ),
}


@pytest.mark.parametrize("kind", SECRETS)
def test_errors_of_helm_do_not_contain_secret_values(root: Path, kind: str) -> None:
    """
    The error has the template and its line. Neither the error nor a note has the value.
    """
    template, flags = SECRETS[kind]
    write(root, **{"charts/desktop/templates/x.yaml": template, "v.yaml": "password: hunter2\ndb: {pw: hunter2-b}\n"})

    ran = check(root, "--helm", "charts/desktop", *flags)

    assert ran.status == 2
    assert "error: charts/desktop/Chart.yaml: helm template failed: " in ran.err
    assert "templates/x.yaml" in ran.err
    assert "hunter2" not in ran.out + ran.err


def test_notes_do_not_contain_settings(root: Path) -> None:
    """
    The note on the command has only the key.
    """
    ran = check(root, "--helm", "charts/desktop", "--set", "password=topsecret")

    assert "--set 'password=***'" in " ".join(ran.out.split())
    assert "topsecret" not in ran.out + ran.err


def test_errors_of_kustomize_do_not_contain_literals_of_secrets(root: Path) -> None:
    """
    The message of kustomize is shown without the prefix of its log.
    """
    write(root, **{"base/kustomization.yaml": "secretGenerator: [{name: a, literals: [hunter2]}]\n"})

    ran = check(root, "-k", "overlays/prod")

    assert ran.status == 2
    assert "kubectl kustomize failed: accumulating resources" in ran.err
    assert "run.go" not in ran.err
    assert "hunter2" not in ran.err


PATCHES = {
    "configuration": "patches:\n- patch: |-\n    a: b\n     c: d\n    pin: hunter2\n",
    "strategic merge": "patchesStrategicMerge:\n- |-\n    a: b\n     c: d\n    pin: hunter2\n",
    "transformer": "transformers:\n- |-\n  {apiVersion: builtin, kind: PatchTransformer, metadata: {name: x}, patch: hunter2}\n",
}


@pytest.mark.parametrize("kind", PATCHES)
def test_errors_of_kustomize_do_not_contain_patches(root: Path, kind: str) -> None:
    """
    kustomize prints the whole configuration of a transformer, which can contain cloud-init data.
    """
    write(root, **{"a/kustomization.yaml": f"resources: [../base]\n{PATCHES[kind]}"})

    ran = check(root, "-k", "a")

    assert ran.status == 2
    assert "kubectl kustomize failed: " in ran.err
    assert "Transformer" in ran.err
    assert "run.go" not in ran.err
    assert "Warning" not in ran.err
    assert "hunter2" not in ran.err
