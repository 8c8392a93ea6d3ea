"""Addresses of VMs that a live migration cannot keep (LM108 and LM109), at the command line, the API and admission."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.surfaces.doors import Doors, Manifest
from tests.surfaces.test_settings_that_work import cr
from webhook.kubevirt.expansion.interfaces import BRIDGE_OVERRIDE as OVERRIDE

IPS = json.dumps([{"name": "lan", "ips": ["10.9.0.5/24"]}])
ON_CLAIM = json.dumps([{"name": "lan", "ips": ["10.9.0.5/24"], "ipam-claim-reference": "vm.lan"}])
FLANNEL = {"flannel.alpha.coreos.com/backend-type": "vxlan"}


def vmi(binding: str, annotations: dict[str, str]) -> Manifest:
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstance",
        "metadata": {"name": "vm", "namespace": "lab", "annotations": annotations},
        "spec": {
            "domain": {"devices": {"interfaces": [{"name": "default", binding: {}}]}},
            "networks": [{"name": "default", "pod": {}}],
        },
    }


def node(name: str) -> Manifest:
    labels = {"kubevirt.io/schedulable": "true", "host-model-cpu.node.kubevirt.io/X": "true"}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels, "annotations": FLANNEL}}


@pytest.mark.parametrize(
    ("binding", "annotations", "expected"),
    [
        ("masquerade", {"cni.projectcalico.org/ipAddrs": '["10.9.0.5"]'}, {"LM108"}),
        ("masquerade", {"ovn.kubernetes.io/ip_address": "10.9.0.5"}, {"LM108"}),
        ("masquerade", {"ipam.antrea.io/pod-ips": "10.9.0.5"}, {"LM108"}),
        ("masquerade", {"v1.multus-cni.io/default-network": IPS}, {"LM108"}),
        ("masquerade", {"v1.multus-cni.io/default-network": ON_CLAIM}, set()),
        ("masquerade", {"k8s.v1.cni.cncf.io/networks": IPS}, {"LM108"}),
        ("masquerade", {"network.kubevirt.io/addresses": '{"default": ["10.9.0.5/24"]}'}, set()),
        ("bridge", {OVERRIDE: ""}, {"LM109"}),
        ("masquerade", {OVERRIDE: ""}, set()),
    ],
)
def test_an_address_that_the_target_pod_cannot_have_is_reported(
    tmp_path: Path, binding: str, annotations: dict[str, str], expected: set[str]
) -> None:
    """
    The finding is at the annotation. KubeVirt's verdict is LiveMigratable True.
    """
    made = vmi(binding, annotations)
    doors = Doors(tmp_path, [cr({}), node("n1"), node("n2")])

    for said in (doors.by_command_line(made), doors.by_api(made), doors.by_admission(made)[0]):
        found: dict[str, Any] = {f.rule: f for f in said.findings if f.rule in {"LM108", "LM109"}}
        assert set(found) == expected
        assert said.verdict.live_migratable is True
        assert all(one.path.startswith("metadata.annotations") and one.action == "warn" for one in found.values())
