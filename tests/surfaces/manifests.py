"""Small manifests for tests of the surfaces."""

GOOD = """\
apiVersion: kubevirt.io/v1
kind: VirtualMachineInstance
metadata: {name: good, namespace: tenant}
spec:
  domain:
    devices:
      interfaces:
      - {name: default, masquerade: {}}
  networks:
  - {name: default, pod: {}}
"""
BAD = """\
apiVersion: kubevirt.io/v1
kind: VirtualMachineInstance
metadata: {name: bad, namespace: tenant}
spec:
  domain:
    devices:
      interfaces:
      - name: default
        bridge: {}
      gpus:
      - {name: card, deviceName: nvidia.com/A10}
  networks:
  - {name: default, pod: {}}
"""
CLAIM = """\
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: os, namespace: tenant}
spec: {accessModes: [ReadWriteMany]}
"""
UNPROVEN = (
    GOOD.replace("name: good", "name: unproven")
    + """\
  volumes:
  - {name: os, persistentVolumeClaim: {claimName: os}}
"""
)
TEMPLATE = "apiVersion: kubevirt.io/v1\n{{- range .Values.vms }}\nkind: X\n"
