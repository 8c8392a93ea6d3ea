"""Manifests as a repository of VMs holds them at first: in block style, without surprises."""

from textwrap import indent

from benchmarks.generators.vms import values
from tests.apiserver.clusters.machines import USER_DATA

_MACHINE = """\
# Machine {number}, ordered by team {team}; see the runbook before changing disks.
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
{anti_affinity}      domain:
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
_DEVICES = {
    "filesystems": "          filesystems:\n            - name: shared\n              virtiofs: {}\n",
    "host devices": "          hostDevices:\n            - name: fpga\n              deviceName: example.com/fpga\n",
}


PREFERRED_ANTI_AFFINITY = """\
          preferredDuringSchedulingIgnoredDuringExecution:
            - weight: 50
              podAffinityTerm:
                topologyKey: kubernetes.io/hostname
                labelSelector:
                  matchLabels:
                    example.com/team: {team}
"""


def manifest(number: int, anti_affinity: str = PREFERRED_ANTI_AFFINITY) -> str:
    """One VM with its claim. ``anti_affinity`` can have placeholders, such as ``{name}``."""
    known = values(number, _DEVICES)
    mac = f"{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"
    user_data = indent(USER_DATA.format(**known), " " * 14)
    return (_MACHINE + _CLAIM).format(
        **known, mac=mac, user_data=user_data, anti_affinity=anti_affinity.format(**known)
    )
