"""The repository of docs/ci.md: three hundred VMs of five teams, the same in every run."""

import random
from pathlib import Path

TEAMS = ("billing", "web", "data", "legacy", "lab")
OLD = ("legacy", "lab")
VM = """\
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata:
  name: {name}
  namespace: {team}
  labels: {{app: {name}, team: {team}}}
spec:
  runStrategy: Always
  template:
    metadata:
      labels: {{app: {name}}}
    spec:
      {strategy}domain:
        cpu: {{cores: {cores}}}
        memory: {{guest: {memory}Gi}}
        devices:
          disks:
          - {{name: os, disk: {{bus: virtio}}}}
          interfaces:
          - {{name: default, {binding}: {{}}}}
{devices}      networks:
      - {{name: default, pod: {{}}}}
      volumes:
      - name: os
        persistentVolumeClaim: {{claimName: {name}-os}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: {name}-os, namespace: {team}}}
spec:
  accessModes: [{mode}]
  resources: {{requests: {{storage: 30Gi}}}}
"""
GPU = "          gpus:\n          - {name: gpu1, deviceName: nvidia.com/A10}\n"
TEMPLATE = """\
{{- range .Values.desktops }}
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata:
  name: {{ .name }}
{{- end }}
"""


def write(folder: Path, count: int = 300) -> None:
    """Writes the manifests, and a Helm chart beside them."""
    chance = random.Random(7)
    for number in range(count):
        team = TEAMS[number % len(TEAMS)]
        name = f"{team}-{number:03d}"
        strategy = chance.random()
        (folder / "vms" / team).mkdir(parents=True, exist_ok=True)
        (folder / "vms" / team / f"{name}.yaml").write_text(
            VM.format(
                name=name,
                team=team,
                strategy=f"evictionStrategy: {'LiveMigrate' if strategy < 0.3 else 'livemigrate'}\n      "
                if strategy < 0.32
                else "",
                cores=1 + int(chance.random() * 4),
                memory=2 + int(chance.random() * 6),
                binding="bridge" if team in OLD and chance.random() < 0.5 else "masquerade",
                devices=GPU if team == "lab" and chance.random() < 0.2 else "",
                mode="ReadWriteOnce" if chance.random() < (0.5 if team in OLD else 0.06) else "ReadWriteMany",
            )
        )
    templates = folder / "charts" / "desktop" / "templates"
    templates.mkdir(parents=True)
    (templates / "vm.yaml").write_text(TEMPLATE)
    (templates.parent / "Chart.yaml").write_text("apiVersion: v2\nname: desktop\nversion: 0.1.0\n")
    (templates.parent / "values.yaml").write_text("desktops: []\n")
