"""
The affinity of a launcher pod, as JSON. The preferred terms of a VMI stay in it.

Source: ``setNodeAffinityForPod`` and ``setPersistentReservationAntiAffinity`` of ``pkg/virt-controller/services/template.go``,
and ``createMigrationPodAntiAffinityRule`` of ``pkg/virt-controller/watch/migration/migration.go``, v1.3.1 to v1.9.0.
"""

from collections.abc import Iterable, Iterator
from copy import deepcopy
from typing import Final

from webhook.facts.unknown import Unknown
from webhook.kubevirt.launcher.node_selector import ARCHITECTURE
from webhook.kubevirt.launcher.surroundings import Surroundings, gate_is_on
from webhook.objects.launcher_vmi import LauncherVMI
from webhook.objects.meta import Json
from webhook.objects.nad import CPU_FEATURE_LABEL
from webhook.objects.scheduling import HOSTNAME

OBSOLETE_HOST_MODEL: Final = "node-labeller.kubevirt.io/obsolete-host-model"
CREATED_BY: Final = "kubevirt.io/created-by"
_REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED: Final = "preferredDuringSchedulingIgnoredDuringExecution"
_RESERVATION: Final = "pr.kubevirt.io/"
Affinity = dict[str, Json]


def affinity(vmi: LauncherVMI, around: Surroundings, reservations: Iterable[str]) -> Affinity:
    """The affinity of the launcher pod. ``reservations`` are the labels of claims with a persistent reservation."""
    result = deepcopy(vmi.spec.affinity) if vmi.spec.affinity is not None else {}
    for label in _rejected(vmi):
        _reject(result, label)
    for label in reservations:
        keep_apart(result, {"matchExpressions": [{"key": label, "operator": "Exists"}]})
    if vmi.spec.architecture and gate_is_on(around, "CrossArchitectureVirtualization"):
        values = [vmi.spec.architecture.lower()]
        term = {"matchExpressions": [{"key": ARCHITECTURE, "operator": "In", "values": values}]}
        node = result.setdefault("nodeAffinity", {})
        node[_PREFERRED] = [*(node.get(_PREFERRED) or ()), {"weight": 100, "preference": term}]
    return result


def keep_apart(result: Affinity, selector: Json) -> None:
    """Adds a required term that keeps the pod off the nodes of the selected pods."""
    pods = result.get("podAntiAffinity") or {}
    pods[_REQUIRED] = [*(pods.get(_REQUIRED) or ()), {"labelSelector": selector, "topologyKey": HOSTNAME}]
    result["podAntiAffinity"] = pods


def keep_off_source(result: Affinity, vmi: LauncherVMI) -> None:
    """Keeps the target pod off the node of the source pod."""
    keep_apart(result, {"matchLabels": {CREATED_BY: vmi.meta.uid or ""}})


def _rejected(vmi: LauncherVMI) -> Iterator[str]:
    """The labels that a node must not have."""
    cpu = vmi.spec.domain.cpu
    if cpu is None or cpu.model in {"", "host-model"}:
        yield OBSOLETE_HOST_MODEL
    for feature in (cpu.features if cpu is not None else None) or ():
        if feature.policy == "forbid":
            yield CPU_FEATURE_LABEL + feature.name


def _reject(result: Affinity, label: str) -> None:
    """Adds a requirement to each required term, because the terms are alternatives."""
    requirement = {"key": label, "operator": "DoesNotExist"}
    node = result.get("nodeAffinity") or {}
    if node.get(_REQUIRED) is None:
        node[_REQUIRED] = {"nodeSelectorTerms": [{"matchExpressions": [requirement]}]}
    else:
        for term in node[_REQUIRED].get("nodeSelectorTerms") or ():
            term["matchExpressions"] = [*(term.get("matchExpressions") or ()), requirement]
    result["nodeAffinity"] = node


def reservation_labels(vmi: LauncherVMI, around: Surroundings) -> tuple[str, ...] | Unknown:
    """
    The labels of the claims that the VMI reserves, from 1.9 on (``PersistentReservationPVCLabels`` of
    ``pkg/storage/reservation/pr.go``). A claim that does not exist has no label.
    """
    disks = vmi.spec.domain.devices.disks or ()
    reserved = [disk.name for disk in disks if disk.lun is not None and disk.lun.reservation]
    if not reserved or around.version[:2] < (1, 9):
        return ()
    volumes = {volume.name: volume.claim for volume in vmi.spec.volumes or ()}
    names = [claim for name in reserved if (claim := volumes.get(name, ""))]
    if isinstance(around.claims, Unknown):
        return around.claims.within("the UIDs of the claims with a persistent reservation are unknown") if names else ()
    found = (around.claims.get(name) for name in names)
    return tuple(dict.fromkeys(_RESERVATION + (claim.meta.uid or "") for claim in found if claim is not None))
