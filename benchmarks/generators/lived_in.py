"""
Manifests as a repository of VMs holds them after some years: comments, MAC addresses of decimal digits without quotation marks,
quoted and unquoted strings, tolerations, affinity, and cloud-init with flow lists.
"""

from benchmarks.generators.vms import values

_MACHINE = """\
# Owner: {team}. Ticket PLAT-{number}. Do not edit by hand: see docs/runbooks/vms.md
---
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata:
  name: {name}
  namespace: "{namespace}"
  labels: {{app: "{name}", team: {team}}}  # used by the dashboards
  annotations:
    example.com/description: 'It''s the order service of the shop; its owner
      restarts it in the window: Sunday, 02:00 to 04:00'
    example.com/cost-center: "00{number}"
    example.com/created: 2024-0{month}-1{month}
spec:
  # running: true   (until 1.2)
  runStrategy: Always
  dataVolumeTemplates: []
  template:
    metadata:
      labels:
        kubevirt.io/domain: {name}
        app.kubernetes.io/version: "1.{month}"
    spec:
      evictionStrategy: LiveMigrate
      terminationGracePeriodSeconds: 180   # seconds
      tolerations:
      - key: dedicated
        operator: Equal
        value: "virtualization"
        effect: NoSchedule
      - {{key: node.example.com/maintenance, operator: Exists, effect: NoExecute, tolerationSeconds: 300}}
      affinity:
        nodeAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            nodeSelectorTerms:
            - matchExpressions:
              - {{key: topology.kubernetes.io/zone, operator: In, values: [zone-a, zone-b]}}
              - key: "kubernetes.io/arch"
                operator: In
                values:
                - amd64
      domain:
        cpu:
          cores: {cores}
          model: host-model
        memory:
          guest: {memory}Gi
        resources:
          requests: {{cpu: 500m, memory: "{memory}Gi"}}
        devices:
          # no USB redirection here
          autoattachGraphicsDevice: false
{devices}          disks:
          - disk: {{bus: virtio}}
            name: root
            bootOrder: 1
          - name: seed
            disk:
              bus: virtio
            serial: CLOUD-{number}
          interfaces:
          - name: default
            {binding}: {{}}
            model: virtio
            macAddress: 52:54:00:{mac}
            ports:
            - {{name: ssh, port: 22}}
            - name: web
              port: {port}
              protocol: TCP
      networks:
      - name: default
        pod: {{}}
      accessCredentials: []
      volumes:
      - name: root
        persistentVolumeClaim:
          claimName: {name}
      - name: seed
        cloudInitNoCloud:
          userData: |-
            #cloud-config
            hostname: {name}
            # set by {team}
            bootcmd:
              - [sysctl, -w, net.ipv4.ip_forward=1]
              - [sh, -c, "echo {number} > /etc/machine-number"]
            write_files:
              - path: /etc/motd
                content: |
                  Machine {number} of the shop.

                  Call {team} before you reboot: +49 30 {number}
            users:
              - name: admin
                groups: [wheel, docker]
                sudo: ALL=(ALL) NOPASSWD:ALL
                ssh_authorized_keys:
                  - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA{key} admin@example.com
            runcmd:
              - systemctl enable --now qemu-guest-agent
              - [systemctl, restart, "order-service@{number}"]
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: "{name}"
  namespace: "{namespace}"
  labels: {{app: "{name}"}}
spec:
  accessModes: [{mode}]
  volumeMode: Block
  storageClassName: 'ceph-rbd'
  resources: {{requests: {{storage: {size}Gi}}}}
"""
_DEVICES = {
    "filesystems": "          filesystems:\n          - {name: shared, virtiofs: {}}\n",
    "host devices": "          hostDevices:\n          - name: fpga\n            deviceName: example.com/fpga\n",
}


def manifest(number: int) -> str:
    """One VM with its claim."""
    mac = f"{number // 10_000 % 100:02}:{number // 100 % 100:02}:{number % 100:02}"
    return _MACHINE.format(**values(number, _DEVICES), month=1 + number % 9, mac=mac)
