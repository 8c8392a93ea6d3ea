"""
Tidy manifests of VMs that must run on different nodes, and the nodes.

With nodes, such a VM is compared with all other VMs of the input.
"""

from benchmarks.generators import tidy

_REQUIRED = """\
          requiredDuringSchedulingIgnoredDuringExecution:
            - topologyKey: kubernetes.io/hostname
              labelSelector:
                matchLabels:
                  app.kubernetes.io/name: {name}
"""
NODES = "---\n".join(
    f"""\
apiVersion: v1
kind: Node
metadata:
  name: node-{number}
  labels:
    kubernetes.io/hostname: node-{number}
    kubevirt.io/schedulable: "true"
"""
    for number in range(2)
)


def manifest(number: int) -> str:
    """One VM with its claim."""
    return tidy.manifest(number, _REQUIRED)
