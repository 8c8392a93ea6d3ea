"""
Operators that write a KubeVirt CR or a migration network, and where a change has to be made so that it lasts.

Sources: those of ``hyper_converged``; Harvester v1.8.0 ``pkg/controller/master/kubevirt/vm_migration_network.go``,
``pkg/controller/master/setting/kubevirt_migration.go``, ``pkg/util/constants.go``, ``deploy/charts/harvester/values.yaml``.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from webhook.kubevirt.settings.hyper_converged import in_hyper_converged
from webhook.kubevirt.settings.settings import NETWORK, NODE_DRAIN_TAINT_KEY
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.meta import Kubernetes
from webhook.objects.path import FieldPath, dotted

HYPER_CONVERGED: Final = "HyperConverged"
HARVESTER: Final = "Harvester"
HARVESTER_NAMESPACE: Final = "harvester-system"
_LABELS: Final = {"app.kubernetes.io/managed-by": "hco-operator", "app": "kubevirt-hyperconverged"}
_MIGRATIONS: Final = ("spec", "configuration", "migrations")
_HARVESTERS_NETWORKS: Final = ("vm-migration-network", "storage-network")
_HARVESTERS_MARK: Final = ".settings.harvesterhci.io"


class Owner(msgspec.Struct, frozen=True):
    """Who writes an object; what somebody else writes into it does not last."""

    name: str
    place: Callable[[FieldPath], str]
    """Where to change what stands at a path of the object, as the end of a sentence."""


def owner_of(judged: Kubernetes) -> Owner | None:
    """
    HyperConverged by ownerReference or labels, Harvester by its namespace or by its mark on a network; else None.
    """
    if not isinstance(judged, KubeVirt):
        marks = judged.meta.annotations or {}
        setting = next((each for each in _HARVESTERS_NETWORKS if each + _HARVESTERS_MARK in marks), "")
        return Owner(HARVESTER, lambda _path: f"change Harvester's setting {setting}") if setting else None
    owners = {each.kind for each in judged.meta.owner_references or ()}
    labels = judged.meta.labels or {}
    if HYPER_CONVERGED in owners or any(labels.get(key) == value for key, value in _LABELS.items()):
        return Owner(HYPER_CONVERGED, in_hyper_converged)
    if judged.namespace == HARVESTER_NAMESPACE:
        return Owner(HARVESTER, _in_harvester)
    return None


def _in_harvester(path: FieldPath) -> str:
    if path == (*_MIGRATIONS, NETWORK):
        return "change Harvester's setting vm-migration-network (Harvester 1.6 or later)"
    if path[:3] == _MIGRATIONS and path[3:4] != (NODE_DRAIN_TAINT_KEY,):
        return "change Harvester's setting kubevirt-migration (Harvester 1.7 or later)"
    return f"change kubevirt.{dotted(path)} in the values of Harvester's chart"
