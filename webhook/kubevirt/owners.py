"""
Operators that write a KubeVirt CR or a migration network, and the fields in their own objects that set its values.

Sources: the sources named in ``hyper_converged``; Harvester v1.8.0 ``pkg/controller/master/kubevirt/vm_migration_network.go``,
``pkg/controller/master/setting/kubevirt_migration.go``, ``pkg/util/constants.go``, ``deploy/charts/harvester/values.yaml``;
Cozystack, main of 2026-08, ``packages/system/kubevirt/templates/kubevirt-cr.yaml`` and ``values.yaml``; Flux helm-controller
``internal/postrender/origin_labels.go``.
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
COZYSTACK: Final = "Cozystack"
COZYSTACK_NAMESPACE: Final = "cozy-kubevirt"
FLUX_LABEL: Final = "helm.toolkit.fluxcd.io/name"
"""The label of an object that Flux writes for a HelmRelease. The value is the name of the HelmRelease."""
HELM_RELEASE: Final = "HelmRelease"
_LABELS: Final = {"app.kubernetes.io/managed-by": "hco-operator", "app": "kubevirt-hyperconverged"}
_COZYSTACKS_VALUES: Final = (("permittedHostDevices",), ("mediatedDevicesConfiguration",))
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
    namespace, or are networks with Harvester's annotation. Cozystack's objects are in Cozystack's namespace. Flux labels the
    objects of each HelmRelease.
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
    if judged.namespace == COZYSTACK_NAMESPACE:
        return Owner(COZYSTACK, _in_cozystack)
    if release := labels.get(FLUX_LABEL, ""):
        return Owner(HELM_RELEASE, lambda path: f"change the values of HelmRelease {release} that set {dotted(path)}")
    return None


def _in_harvester(path: FieldPath) -> str:
    if path == (*_MIGRATIONS, NETWORK):
        return "change Harvester's setting vm-migration-network (Harvester 1.6 or later)"
    if path[:3] == _MIGRATIONS and path[3:4] != (NODE_DRAIN_TAINT_KEY,):
        return "change Harvester's setting kubevirt-migration (Harvester 1.7 or later)"
    return f"change kubevirt.{dotted(path)} in the values of Harvester's chart"


def _in_cozystack(path: FieldPath) -> str:
    if path[:3] == _MIGRATIONS:
        values = ("spec", "components", "platform", "values", "kubevirt", *path[2:])
        return f"change {dotted(values)} of Package cozystack.cozystack-platform"
    if path[2:3] in _COZYSTACKS_VALUES:
        return (
            f"change {dotted(('spec', 'components', 'kubevirt', 'values', *path[2:3]))} of Package cozystack.kubevirt"
        )
    if path[2:4] == ("developerConfiguration", "featureGates"):
        return "change spec.components.kubevirt.values.extraFeatureGates of Package cozystack.kubevirt"
    return f"Cozystack's chart kubevirt sets {dotted(path)}, and no value of the chart can change it"
