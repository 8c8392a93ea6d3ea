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


def test_the_resources_in_a_status_are_kept_only_while_a_container_is_resized() -> None:
    """
    The resources in the status of 20,000 pods would take many megabytes.
    """
    spec = {"containers": [{"name": "c", "resources": {"requests": {"cpu": "1"}}}]}
    for held, is_kept in (("1", False), ("2", True)):
        status = {"name": "c", "resources": {"requests": {"cpu": held}}, "allocatedResources": {"cpu": held}}
        for kind in ("containerStatuses", "initContainerStatuses"):
            pod = msgspec.convert({"spec": spec, "status": {kind: [status]}}, Pod)
            found = [*(pod.status.container_statuses or ()), *(pod.status.init_container_statuses or ())]
            assert [(one.resources is not None, one.allocated_resources is not None) for one in found] == [
                (is_kept, is_kept)
            ]
