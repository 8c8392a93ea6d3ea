"""Judging KubeVirt CRs, MigrationPolicies and networks (webhook.judging.cluster)."""

import itertools

import msgspec
import pytest

from webhook.facts.objects_world import ObjectsWorld
from webhook.judging.cluster import judge_change, judge_cluster
from webhook.kubevirt.releases import SUPPORTED
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.meta import Kubernetes
from webhook.objects.nad import NetworkAttachmentDefinition, Node

METADATA = {"name": "n", "namespace": "kubevirt"}
MARK = {"vm-migration-network.settings.harvesterhci.io": "true"}
IN_USE = msgspec.convert({"metadata": METADATA, "spec": {"configuration": {"migrations": {"network": "n"}}}}, KubeVirt)
OF_EACH_KIND = [msgspec.convert({"metadata": METADATA}, kind) for kind in (KubeVirt, NetworkAttachmentDefinition, Node)]


@pytest.mark.parametrize(("old", "new"), [*itertools.permutations(OF_EACH_KIND, 2)])
def test_objects_of_two_kinds_are_no_update(old: Kubernetes, new: Kubernetes) -> None:
    """
    Only two KubeVirt CRs or two networks are compared.
    """
    assert judge_change(old, new, ObjectsWorld((IN_USE,)), SUPPORTED) == ()


def test_an_undetermined_finding_does_not_name_the_owner() -> None:
    """
    Its remedy is to provide another object, which no operator undoes.
    """
    config = '{"cniVersion": "0.3.1", "type": "macvlan", "master": "eth1", "ipam": {"type": "whereabouts"}}'
    network = msgspec.convert(
        {"metadata": {**METADATA, "annotations": MARK}, "spec": {"config": config}}, NetworkAttachmentDefinition
    )

    reported = judge_cluster(network, ObjectsWorld((IN_USE,)), SUPPORTED).findings

    assert [finding.remedy for finding in reported if finding.undetermined] == [
        "write the range into the configuration"
    ]
