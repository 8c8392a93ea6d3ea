"""Kustomizations and a chart to render, and programs to render them with."""

import os
import sys
from pathlib import Path

import pytest

from tests.apiserver.binaries import find_binary

VM = """\
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata:
  name: web
spec:
  runStrategy: Always
  template:
    spec:
      evictionStrategy: livemigrate
      domain:
        memory: {guest: 1Gi}
        devices:
          interfaces:
          - name: default
            bridge: {}
      networks:
      - name: default
        pod: {}
"""
GOOD_VM = VM.replace("bridge: {}", "masquerade: {}").replace("livemigrate", "LiveMigrate")
PATCH = """\
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata:
  name: web
spec: {template: {spec: {domain: {memory: {guest: 2Gi}}}}}
"""


def write(root: Path, **texts: str) -> None:
    """Writes files by path."""
    for name, text in texts.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def write_overlays(root: Path, vm: str = VM) -> None:
    """A base with a VM, and the overlays dev and prod with a patch each."""
    write(root, **{"base/kustomization.yaml": "resources: [vm.yaml]\n", "base/vm.yaml": vm})
    for name in ("dev", "prod"):
        kustomization = f"resources: [../../base]\nnamePrefix: {name}-\npatches:\n- path: memory.yaml\n"
        write(root, **{f"overlays/{name}/kustomization.yaml": kustomization, f"overlays/{name}/memory.yaml": PATCH})


def write_chart(root: Path, vm: str = VM, folder: str = "charts/desktop", name: str = "dsk") -> None:
    """A chart whose name differs from the name of its folder, with a template of a VM and one of a Secret."""
    template = f"{{{{- if .Values.enabled }}}}\n{vm.replace('name: web', 'name: {{ .Values.vmName }}')}{{{{- end }}}}\n"
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {p: {{ .Values.password }}}\n"
    write(
        root,
        **{
            f"{folder}/Chart.yaml": f"apiVersion: v2\nname: {name}\nversion: 1.0.0\n",
            f"{folder}/values.yaml": "enabled: true\nvmName: web\npassword: hunter2\n",
            f"{folder}/templates/secret.yaml": secret,
            f"{folder}/templates/vm.yaml": template,
        },
    )


def put_programs(monkeypatch: pytest.MonkeyPatch, folder: Path, *names: str) -> None:
    """Makes the real programs of these names the only ones on PATH."""
    folder.mkdir()
    for name in names:
        (folder / name).symlink_to(find_binary(name))
    monkeypatch.setenv("PATH", os.fspath(folder))


def put_fake(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, code: str) -> None:
    """Makes a Python program the only one on PATH."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!{sys.executable}\n{code}\n")
    (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", os.fspath(folder))
