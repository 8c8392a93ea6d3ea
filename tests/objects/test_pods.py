"""Pods are read with the names of the Kubernetes API."""

import msgspec

from webhook.objects.pods import Pod

TEXT = b"""{
  "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
  "spec": {
    "nodeName": "n1", "initContainers": [{"name": "i", "restartPolicy": "Always"}],
    "containers": [{"name": "c", "ports": [{"hostPort": 80, "hostIP": "10.0.0.1"}]}],
    "affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "zone"}]}}
  },
  "status": {"phase": "Failed"}
}"""


def test_a_pod_has_its_ports_affinity_and_phase() -> None:
    """
    Fields whose names are no plain camel case are read, too.
    """
    pod = msgspec.json.decode(TEXT, type=Pod)

    assert pod.is_finished
    assert pod.spec.containers is not None
    assert pod.spec.containers[0].ports is not None
    assert pod.spec.containers[0].ports[0].host_ip == "10.0.0.1"
    assert pod.spec.affinity is not None
    assert pod.spec.affinity.pod_affinity is not None
    assert pod.spec.affinity.pod_affinity.required is not None
    assert pod.spec.affinity.pod_affinity.required[0].topology_key == "zone"
