"""The remedy for a migration network without addresses names the field that its plugin reads (LM711 and LM718)."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.surfaces.doors import Doors, Manifest
from tests.surfaces.test_settings_that_work import cr


def network(**config: Any) -> Manifest:
    """The migration network ``mig`` of a cluster."""
    return {
        "apiVersion": "k8s.cni.cncf.io/v1",
        "kind": "NetworkAttachmentDefinition",
        "metadata": {"name": "mig", "namespace": "kubevirt"},
        "spec": {"config": json.dumps({"cniVersion": "0.3.1", "name": "mig", **config})},
    }


OVN = {"type": "ovn-k8s-cni-overlay", "netAttachDefName": "kubevirt/mig"}
USER = cr({"migrations": {"network": "mig"}})


@pytest.mark.parametrize(
    ("config", "start"),
    [
        *((OVN | {"topology": topology}, 'Add `"subnets": ') for topology in ("localnet", "layer2")),
        ({"plugins": [OVN | {"topology": "localnet"}]}, 'Add `"subnets": '),
        ({"type": "macvlan", "master": "eth1"}, "Add `ipam`"),
        ({"type": "bridge", "bridge": "br1"}, "Add `ipam`"),
    ],
)
def test_the_remedy_leads_with_the_setting_that_the_plugin_reads(
    tmp_path: Path, config: dict[str, Any], start: str
) -> None:
    """
    OVN-Kubernetes assigns addresses from subnets and does not read ipam. The KubeVirt CR that uses the network says so too.
    """
    made = network(**config)
    doors = Doors(tmp_path, [made, USER])

    for said in (doors.by_command_line(made), doors.by_api(made), doors.by_admission(made)[0]):
        [finding] = [finding for finding in said.findings if finding.rule == "LM711"]
        assert finding.remedy.startswith(start)
    [user] = [finding for finding in doors.by_admission(USER)[0].findings if finding.rule == "LM718"]
    assert ("subnets" in user.remedy) is ("subnets" in start)
