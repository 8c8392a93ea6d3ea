"""
Manifests as a repository of virtual machines holds them: a VirtualMachine of about 3 KB and its claim, one file each.

Of every twenty machines five are bad, one for each of the five checks (``benchmarks.contestants``); the machines are
otherwise alike, and no two have a name, an address, a size or a claim in common.
"""

from pathlib import Path
from textwrap import indent

from tests.apiserver.clusters.machines import USER_DATA
from tests.apiserver.clusters.shape import CHECKS

NAMESPACES = 50
EVERY = 20
"""How many machines there are to one that violates a given check."""

_MACHINE = """\
# {title}, ordered by team {team}; see the runbook before changing disks.
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata:
  name: {name}
  namespace: {namespace}
  labels:
    app.kubernetes.io/name: {name}
    app.kubernetes.io/part-of: shop
    app.kubernetes.io/managed-by: argocd
    example.com/team: {team}
    example.com/tier: backend
  annotations:
    example.com/contact: "{team}@example.com"
    example.com/description: >-
      Runs the order service of the shop. It is restarted by its owner only,
      in the window that the runbook names.
spec:
  runStrategy: Always
  template:
    metadata:
      labels:
        kubevirt.io/domain: {name}
        app.kubernetes.io/name: {name}
        example.com/team: {team}
    spec:
      architecture: amd64
      evictionStrategy: LiveMigrate
      terminationGracePeriodSeconds: 180
      hostname: {name}
      nodeSelector:
        kubernetes.io/os: linux
      affinity:
        podAntiAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
            - weight: 50
              podAffinityTerm:
                topologyKey: kubernetes.io/hostname
                labelSelector:
                  matchLabels:
                    example.com/team: {team}
      domain:
        cpu:
          cores: {cores}
          sockets: 1
          threads: 1
          model: Skylake-Server-v5
        memory:
          guest: {memory}Gi
        machine:
          type: q35
        resources:
          requests:
            cpu: {cores}
            memory: {memory}Gi
        devices:
          rng: {{}}
          networkInterfaceMultiqueue: true
{devices}          disks:
            - name: rootdisk
              bootOrder: 1
              disk:
                bus: virtio
            - name: cloudinit
              disk:
                bus: virtio
          interfaces:
            - name: default
              {binding}: {{}}
              model: virtio
              macAddress: "02:00:00:{mac}"
              ports:
                - name: ssh
                  port: 22
                - name: http
                  port: {port}
      networks:
        - name: default
          pod: {{}}
      readinessProbe:
        tcpSocket:
          port: 22
        initialDelaySeconds: 30
        periodSeconds: 10
        timeoutSeconds: 5
      volumes:
        - name: rootdisk
          persistentVolumeClaim:
            claimName: {name}
        - name: cloudinit
          cloudInitNoCloud:
            userData: |
{user_data}"""
_CLAIM = """\
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {name}
  namespace: {namespace}
  labels:
    app.kubernetes.io/part-of: shop
spec:
  accessModes:
    - {mode}
  volumeMode: Block
  storageClassName: ceph-rbd
  resources:
    requests:
      storage: {size}Gi
"""


def name_of(number: int) -> str:
    """The machine's name."""
    return f"vm-{number:05}"


def violates(number: int) -> str:
    """The check that a machine violates; empty for a good one."""
    at = number % EVERY
    return CHECKS[at // 4] if at % 4 == 0 else ""


def manifest(number: int) -> str:
    """One machine with its claim."""
    wrong, name, namespace = violates(number), name_of(number), f"tenant-{number % NAMESPACES:02}"
    devices = {
        "filesystems": "          filesystems:\n            - name: shared\n              virtiofs: {}\n",
        "host devices": "          hostDevices:\n            - name: fpga\n              deviceName: example.com/fpga\n",
    }
    machine = _MACHINE.format(
        title=f"Machine {number}",
        name=name,
        namespace=namespace,
        team=f"team-{number % 17}",
        cores=1 + number % 8,
        memory=2 * (1 + number % 8),
        devices=devices.get(wrong, ""),
        binding="bridge" if wrong == "bridge" else "masquerade",
        mac=f"{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}",
        port=49152 if wrong == "port" else 8080,
        user_data=indent(USER_DATA.format(name=name, key=f"{number:042}"), " " * 14),
    )
    mode = "ReadWriteOnce" if wrong == "claim" else "ReadWriteMany"
    return machine + _CLAIM.format(name=name, namespace=namespace, mode=mode, size=10 + number % 90)


def write(folder: Path, machines: int) -> None:
    """Writes one file a machine."""
    folder.mkdir()
    for number in range(machines):
        (folder / f"{name_of(number)}.yaml").write_text(manifest(number))
