"""The pod that attaches hotplugged volumes (``RenderHotplugAttachmentPodTemplate``)."""

import pytest

from tests.kubevirt.launcher.building import around, needs, vmi
from webhook.kubevirt.launcher.attachment_pod import attachment_pod
from webhook.kubevirt.launcher.quantities import amounts
from webhook.objects.launcher_vmi import LauncherVMI
from webhook.objects.pods import Pod
from webhook.objects.scheduling import Toleration

VOLUMES = [
    {"name": "root", "persistentVolumeClaim": {"claimName": "root"}},
    {"name": "data", "dataVolume": {"name": "data", "hotpluggable": True}},
    {"name": "more", "persistentVolumeClaim": {"claimName": "more"}},
    {"name": "disk", "containerDisk": {"image": "registry.example/os"}},
]
PLUGGED = {"volumeStatus": [{"name": "more", "hotplugVolume": {}}, {"name": "disk", "hotplugVolume": {}}]}
OWN = Toleration("a", "Exists")


def attachment(of: LauncherVMI, version: str = "v1.9.0") -> Pod:
    pod = attachment_pod(of, around(version), "n2", (OWN,))
    assert pod is not None
    return pod


def test_the_pod_mounts_the_hotplugged_claims_alone() -> None:
    """
    A volume is hotplugged by its status or by its spec.
    """
    claims = [
        volume.persistent_volume_claim for volume in attachment(vmi(volumes=VOLUMES, status=PLUGGED)).spec.volumes or []
    ]

    assert [claim.claim_name for claim in claims if claim is not None] == ["data", "more"]


def test_a_vmi_without_hotplugged_volumes_needs_no_pod() -> None:
    """
    Its claims are in the launcher pod.
    """
    assert attachment_pod(vmi(volumes=VOLUMES[:1]), around(), "n2", ()) is None


def test_the_pod_runs_on_the_node_of_the_launcher_pod() -> None:
    """
    The node is selected by its label with the hostname.
    """
    affinity = attachment(vmi(volumes=VOLUMES)).spec.affinity

    assert affinity is not None
    assert affinity.node_affinity is not None
    assert affinity.node_affinity.required is not None
    (term,) = affinity.node_affinity.required.node_selector_terms or []
    (requirement,) = term.match_expressions or []
    assert (requirement.key, requirement.operator, requirement.values) == ("kubernetes.io/hostname", "In", ["n2"])


@pytest.mark.parametrize(("version", "count"), [("v1.7.4", 1), ("v1.8.0", 6)])
def test_the_pod_tolerates_a_cordoned_node_from_1_8_on(version: str, count: int) -> None:
    """
    The tolerations of the launcher pod stay.
    """
    tolerations = attachment(vmi(volumes=VOLUMES), version).spec.tolerations or []

    assert len(tolerations) == count
    assert OWN in tolerations


def test_the_pod_is_small() -> None:
    """
    10 millicores and 2 MB, also for a VMI with dedicated CPUs.
    """
    of = vmi({"cpu": {"dedicatedCpuPlacement": True, "cores": 1}}, volumes=VOLUMES)
    (container,) = attachment(of).spec.containers or []

    requests, limits = needs(container)
    assert amounts(requests) == amounts({"cpu": "10m", "memory": "2M"})
    assert amounts(limits) == amounts({"cpu": "100m", "memory": "80M"})
