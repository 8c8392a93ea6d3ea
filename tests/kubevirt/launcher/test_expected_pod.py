"""The target pod of a VM from its manifest. The requests are those of KubeVirt 1.9.0's own functions (drain.md §6)."""

import json
from typing import Any

import pytest

from tests.wrapping import objects_in
from webhook.facts.objects_world import ObjectsWorld
from webhook.kubevirt.expansion.expand import expand
from webhook.kubevirt.launcher.expected_pod import expected_pod
from webhook.kubevirt.releases import NEWEST, Releases, only, parse_release
from webhook.kubevirt.subject import subject_of
from webhook.manifests.objects import read_manifests
from webhook.objects.pods import Pod
from webhook.rules.example import instancetype, kubevirt
from webhook.scheduling.pod_requests import pod_requests

Json = dict[str, Any]
LATEST = only(NEWEST)
MIB = 2**20
CONSOLE, GUARANTEED_CONSOLE = 35_000_000, 60_000_000
DEVICES = {"interfaces": [{"name": "p", "masquerade": {}}], "disks": [{"name": "d", "disk": {}}]}
FOUR = {"memory": {"guest": "4Gi"}}


def vm(domain: Json, spec: Json | None = None, **template: Any) -> Json:
    volumes = [{"name": "d", "containerDisk": {"image": "x"}}]
    base = {"domain": {"devices": DEVICES, **domain}, "networks": [{"name": "p", "pod": {}}], "volumes": volumes}
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {"name": "vm", "namespace": "tenant"},
        "spec": {"runStrategy": "Always", "template": {"spec": base | template}, **(spec or {})},
    }


def pod_of(judged: Json, *world: Json, releases: Releases = LATEST, quotas: tuple[str, ...] = ()) -> Pod | None:
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": [judged, *world]})
    objects = list(objects_in(read_manifests(text.encode(), "f").objects))
    known = ObjectsWorld(objects)
    subject = subject_of(objects[0])
    assert subject is not None
    *_, facts = expand(subject, known, releases)
    return expected_pod(facts, subject, known, quotas)


def requests_of(judged: Json, *world: Json, releases: Releases = LATEST) -> tuple[int, int]:
    """The CPUs in millicores and the memory in bytes."""
    pod = pod_of(judged, *world, releases=releases)
    assert pod is not None
    requests = pod_requests(pod)
    return requests["cpu"], requests["memory"]


@pytest.mark.parametrize(
    ("domain", "cpu", "memory"),
    [
        ({"cpu": {"cores": 2}, **FOUR}, 205, 4372 * MIB + CONSOLE),
        (
            {"cpu": {"cores": 2, "dedicatedCpuPlacement": True, "isolateEmulatorThread": True}, **FOUR},
            3015,
            4472 * MIB + GUARANTEED_CONSOLE,
        ),
        (
            {"cpu": {"cores": 2}, "memory": {"guest": "4Gi", "hugepages": {"pageSize": "2Mi"}}},
            205,
            276 * MIB + CONSOLE,
        ),
        (
            {"cpu": {"model": "Skylake-Client"}, "resources": {"limits": {"cpu": "2", "memory": "4Gi"}}},
            2015,
            4472 * MIB + GUARANTEED_CONSOLE,
        ),
        (FOUR, 105, 4364 * MIB + CONSOLE),
    ],
    ids=["as is", "dedicated CPUs", "huge pages", "limits", "no CPUs"],
)
def test_the_requests_are_those_of_kubevirt(domain: Json, cpu: int, memory: int) -> None:
    assert requests_of(vm(domain)) == (cpu, memory)


def test_an_instancetype_has_the_cpus_and_the_memory() -> None:
    large = instancetype("large", cpu={"guest": 2}, memory={"guest": "4Gi"}, nodeSelector={"gpu": "yes"})
    judged = vm({}, {"instancetype": {"name": "large"}})

    assert requests_of(judged, large) == requests_of(vm({"cpu": {"cores": 2}, **FOUR}))
    pod = pod_of(judged, large)
    assert pod is not None
    assert (pod.spec.node_selector or {})["gpu"] == "yes"


def test_the_pod_of_a_vm_with_an_unknown_instancetype_is_unknown() -> None:
    assert pod_of(vm({}, {"instancetype": {"name": "large"}})) is None


@pytest.mark.parametrize("memory", [{}, {"memory": {"guest": "four"}}], ids=["no memory", "no quantity"])
def test_the_pod_of_a_vm_without_a_valid_memory_is_unknown(memory: Json) -> None:
    assert pod_of(vm(memory)) is None


def test_a_preference_for_less_memory_and_cpu_divides_the_requests() -> None:
    """memoryOvercommit and cpuAllocationRatio of the KubeVirt CR."""
    cluster = kubevirt(developerConfiguration={"memoryOvercommit": 200, "cpuAllocationRatio": 2})

    assert requests_of(vm({"cpu": {"cores": 2}, **FOUR}), cluster) == (1005, (4372 - 2048) * MIB + CONSOLE)


def test_before_1_7_the_mutating_webhook_writes_the_memory_request() -> None:
    """So the overhead contains the page tables of 4Gi, which are 8Mi, and the request is that of memoryOvercommit."""
    release = parse_release("1.6")
    assert release is not None
    cluster = kubevirt(developerConfiguration={"memoryOvercommit": 200})
    judged = vm({"cpu": {"cores": 2}, **FOUR})

    plain = requests_of(judged, releases=only(release))[1]

    assert requests_of(judged, cluster, releases=only(release))[1] < plain - 2048 * MIB
    assert plain > requests_of(judged)[1]


def test_a_claim_that_does_not_exist_yet_counts_as_existing() -> None:
    volumes = [{"name": "d", "persistentVolumeClaim": {"claimName": "os"}}]

    pod = pod_of(vm(FOUR, volumes=volumes))

    assert pod is not None
    assert [volume.persistent_volume_claim is not None for volume in pod.spec.volumes or ()] == [True]


def test_a_quota_with_limits_gives_the_pod_a_memory_limit_of_twice_the_request() -> None:
    pod = pod_of(vm(FOUR), quotas=("limits.memory",))

    assert pod is not None
    needs = (pod.spec.containers or [])[0].resources
    assert needs is not None
    assert "memory" in (needs.limits or {})
