"""Seven layouts of repositories that hold VMs, as files made by code. ``VM`` is replaced by the manifest of a VM."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

VM: Final = "VM\n"
CLAIM = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: os}\nspec: {accessModes: [ReadWriteMany]}\n"
NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: tenant}\n"
PATCH = (
    "apiVersion: kubevirt.io/v1\nkind: VirtualMachineInstance\nmetadata: {name: web}\n"
    "spec: {domain: {memory: {guest: 8Gi}}}\n"
)
TEMPLATE = "apiVersion: kubevirt.io/v1\nkind: VirtualMachine\nmetadata:\n  name: {{ .Release.Name }}\n  {{- with .Values.x }}\n"
CI = {
    ".github/workflows/ci.yml": "on: [push]\njobs: {check: {runs-on: ubuntu-24.04, steps: []}}\n",
    ".gitlab-ci.yml": "check:\n  script: [!reference [.base, script]]\n",
    ".pre-commit-config.yaml": "repos: []\n",
    "renovate.json": '{"extends": ["config:recommended"]}\n',
}


def _flux(kind: str, group: str) -> str:
    return f"apiVersion: {group}.toolkit.fluxcd.io/v1\nkind: {kind}\nmetadata: {{name: apps, namespace: flux}}\nspec: {{}}\n"


def _argo(name: str) -> str:
    return f"apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}}}\nspec: {{source: {{path: apps}}}}\n"


LAYOUTS: Mapping[str, Mapping[str, str]] = {
    "flat": {
        "vm.yaml": VM,
        "pvc.yaml": CLAIM,
        "namespace.json": '{"apiVersion": "v1", "kind": "Namespace"}',
        "README.md": "x",
    },
    "kustomize": {
        "base/kustomization.yaml": "resources: [vm.yaml, pvc.yaml]\n",
        "base/vm.yaml": VM,
        "base/pvc.yaml": CLAIM,
        "overlays/dev/kustomization.yml": "resources: [../../base]\nnamePrefix: dev-\n",
        "overlays/prod/kustomization.yaml": (
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [../../base]\n"
            "patches: [{path: memory.yaml}, {path: ops.yaml, target: {kind: VirtualMachineInstance}}]\n"
        ),
        "overlays/prod/memory.yaml": PATCH,
        "overlays/prod/ops.yaml": "- {op: add, path: /metadata/labels, value: {env: prod}}\n",
    },
    "argo": {
        "root.yaml": _argo("root"),
        "apps/web.yaml": _argo("web"),
        "apps/migratable.yaml": _argo("migratable"),
        "apps/values/web.yaml": "replicas: 1\n",
        "manifests/web/vm.yaml": VM,
        "manifests/web/pvc.yaml": CLAIM,
    },
    "flux": {
        "clusters/prod/flux-system/gotk-sync.yaml": _flux("GitRepository", "source")
        + "---\n"
        + _flux("Kustomization", "kustomize"),
        "clusters/prod/flux-system/kustomization.yaml": "resources: [gotk-sync.yaml]\n",
        "clusters/prod/apps.yaml": _flux("Kustomization", "kustomize"),
        "infrastructure/release.yaml": _flux("HelmRelease", "helm"),
        "apps/web/kustomization.yaml": "resources: [vm.yaml]\n",
        "apps/web/vm.yaml": VM,
        ".sops.yaml": "creation_rules: []\n",
    },
    "helm": {
        "charts/desktop/Chart.yaml": "apiVersion: v2\nname: desktop\nversion: 0.1.0\n",
        "charts/desktop/values.yaml": "x: {}\n",
        "charts/desktop/values.schema.json": '{"type": "object"}\n',
        "charts/desktop/templates/vm.yaml": TEMPLATE,
        "charts/desktop/templates/NOTES.txt": "x",
        "charts/desktop/crds/crd.yaml": "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {}\n",
        "rendered/vm.yaml": VM,
    },
    "ansible": {
        "site.yml": "- hosts: all\n  roles: [vms]\n",
        "inventory/group_vars/all.yml": "password: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n",
        "roles/vms/tasks/main.yml": "- name: create\n  kubernetes.core.k8s: {src: files/vm.yaml}\n",
        "roles/vms/defaults/main.yml": "memory: 4Gi\n",
        "roles/vms/meta/main.yml": "dependencies: []\n",
        "roles/vms/templates/namespace.yaml": "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {{ name }}\n",
        "roles/vms/templates/vm.yaml": "apiVersion: kubevirt.io/v1\nkind: VirtualMachine\nmetadata:\n  name: {{ name }}\n",
        "roles/vms/templates/loop.yml": "{% for vm in vms %}\napiVersion: kubevirt.io/v1\nkind: {{ vm }}\n---\n{% endfor %}\n",
        "roles/vms/templates/vm.yaml.j2": TEMPLATE,
        "roles/vms/files/vm.yaml": VM,
        "requirements.yml": "collections: [kubernetes.core]\n",
    },
    "monorepo": {
        **CI,
        ".gitignore": "node_modules\n/dist/\n*.log.json\n",
        "migratable.yaml": "release: '1.9'\n",
        "apps/web/migratable.yaml": "skip: [LM501]\n",
        "apps/web/deploy/vm.yaml": VM,
        "apps/web/package.json": '{"name": "web"}\n',
        "apps/web/tsconfig.json": '{\n  // a comment, as in JSON with comments\n  "compilerOptions": {}\n}\n',
        "node_modules/left/vm.yaml": "a: [\n",
        "dist/broken.json": "{",
        "deploy/values.yaml": "image: {tag: v1}\n",
        "docs/mkdocs.yml": "site_name: !ENV [NAME, x]\n",
        "docker-compose.yaml": "services: {web: {image: x}}\n",
        "openapi.json": '{"openapi": "3.1.0", "paths": {}}\n',
    },
}


def write(folder: Path, layout: str, vm: str) -> None:
    """Writes a layout with a VM, and the folder of a repository."""
    (folder / ".git").mkdir(parents=True)
    for name, text in LAYOUTS[layout].items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(vm if text == VM else text)
