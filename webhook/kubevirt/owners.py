"""
Operators that write a KubeVirt CR or a migration network, and the operators' own fields for the values.

Sources: the sources named in ``hyper_converged``; Harvester v1.8.0 ``pkg/controller/master/kubevirt/vm_migration_network.go``,
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
_HARVESTERS_SUFFIX: Final = ".settings.harvesterhci.io"


class Owner(msgspec.Struct, frozen=True):
    """An operator that writes an object and reverts the changes of other clients."""

    name: str
    place: Callable[[FieldPath], str]
    """Returns the instruction to change a field of the object, as the end of a sentence."""


def owner_of(judged: Kubernetes) -> Owner | None:
    """
    The operator that writes ``judged``, or None.

    HyperConverged's objects have an ownerReference or labels of HyperConverged. Harvester's objects are in Harvester's
    namespace, or are networks with Harvester's annotation.
    """
    if not isinstance(judged, KubeVirt):
        annotations = judged.meta.annotations or {}
        setting = next((name for name in _HARVESTERS_NETWORKS if name + _HARVESTERS_SUFFIX in annotations), "")
        return Owner(HARVESTER, lambda _path: f"change Harvester's setting {setting}") if setting else None
    owners = {reference.kind for reference in judged.meta.owner_references or ()}
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
