"""A repository with all that a check reports, and all that it leaves out."""

import json
from pathlib import Path

from tests.check import environments
from tests.check.test_migration_requests import CLAIM as ONE_NODE
from tests.check.test_migration_requests import vm, vmim
from tests.check.test_patched_copies import BRIDGE, clone
from tests.manifests.test_parameters import TEXT as TEMPLATE
from tests.manifests.test_parameters import USUAL
from tests.surfaces.manifests import BAD, CLAIM, GOOD, UNPROVEN


def as_yaml(*objects: object) -> str:
    return "\n---\n".join(map(json.dumps, objects))


FILES: dict[str, str | bytes] = {
    "apps/a/vm.yaml": BAD,
    "apps/a/migratable.yaml": "skip: [LM3]\n",
    "apps/b/vm.yaml": UNPROVEN,
    "apps/b/comment.yaml": f"# migratable: allow LM101 until 2999-01-01: a test\n{BAD}",
    "apps/b/annotation.yaml": BAD.replace(
        "namespace: tenant", "namespace: tenant, annotations: {migratable.dev/allow: 'LM101: a test'}"
    ),
    "apps/c/broken.yaml": "apiVersion: v1\nkind: {\n",
    "apps/c/empty.yaml": "",
    "apps/c/wrong-type.yaml": BAD.replace("networks:", "networks: 5\n  nothing:"),
    "apps/c/utf-16.yaml": b"\xff\xfe" + BAD.encode("utf-16-le"),
    "apps/c/two.yaml": f"{GOOD}\n---\n{BAD}",
    "apps/c/vm.yaml": GOOD,
    "apps/d/kustomization.yaml": "resources: [vm.yaml]\npatches: [{path: patch.yaml}]\n",
    "apps/d/vm.yaml": BAD,
    "apps/d/patch.yaml": GOOD,
    "chart/Chart.yaml": "name: a\nversion: 1.0.0\n",
    "chart/templates/vm.yaml": "kind: {{ .Values.kind }}\n",
    "chart/values.yaml": "kind: a\n",
    "chart/templates/other.yaml": "kind: {{ .Values.kind }}\n",
    "ci/.gitlab-ci.yml": "a: !reference [b]\n",
    "ci/other.yaml": "a: b\n",
    "clones/clone.yaml": as_yaml(clone(BRIDGE), clone(BRIDGE, source="absent")),
    "clones/request.yaml": as_yaml(vmim()),
    "clones/vm.yaml": as_yaml(vm(), ONE_NODE),
    "directive.yaml": "$patch: delete\n" + GOOD,
    "template.yaml": TEMPLATE.format(**USUAL | {"architecture": '"${ARCHITECTURE}"'}),
    "types/a.yaml": as_yaml(environments.a_vm()),
    "types/b.yaml": as_yaml(environments.an_instancetype(gpu=True)),
    "types/c.yaml": as_yaml(environments.a_preference("bridge")),
    "types/d.yaml": as_yaml(environments.an_instancetype(gpu=False)),
    "z/claims.yaml": CLAIM.replace("ReadWriteMany", "ReadWriteOnce"),
    "z/kubevirt.yaml": as_yaml(environments.a_cr("v1.4.0")),
}


def write_to(folder: Path) -> None:
    """Writes the repository."""
    for name, content in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (folder / ".git").mkdir()
    (folder / "migratable.yaml").write_text("exemptions: [{rule: LM513, reason: a, owner: b, until: '2999-01-01'}]\n")
