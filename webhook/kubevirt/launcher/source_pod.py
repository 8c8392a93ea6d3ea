"""
The target pod of a migration, from the pod in which the VMI runs.

virt-controller renders the target pod anew. While nothing has changed since the source pod started, the source pod's own spec is
the same, and it also contains the changes of admission plugins and of other webhooks. So this module does not need the
configuration of KubeVirt, NetworkAttachmentDefinitions, quotas or the namespace.

Source: ``pkg/virt-controller/watch/migration/migration.go``, v1.3.1 to v1.9.0. This module does no I/O.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from webhook.facts.unknown import Fact, Unknown
from webhook.kubevirt.launcher.placement import CREATED_BY
from webhook.kubevirt.launcher.selectors import MACHINE_TYPE_LABEL
from webhook.kubevirt.launcher.surroundings import NoPod, reached
from webhook.kubevirt.launcher.target_pod import Source, for_target
from webhook.kubevirt.launcher.volumes import STATE_VOLUME, state_claim
from webhook.kubevirt.releases import Version
from webhook.objects.launcher_vmi import LauncherVMI
from webhook.objects.meta import NO_META, Json, ObjectMeta
from webhook.objects.pods import Pod, PodAffinity, PodPlacement, PodStatus, PodVolume
from webhook.objects.scheduling import HOSTNAME, LabelSelector, PodTerm

MIGRATION_LABEL: Final = "kubevirt.io/migrationJobUID"
"""The label of a pod that was the target of a migration."""
OUTDATED_LABEL: Final = "kubevirt.io/outdatedLauncherImage"
"""The label of a VMI whose launcher image is not the operator's."""
_CHANGES: Final = {
    "HotVCPUChange": "a change of vCPUs",
    "HotMemoryChange": "a change of memory",
    "MigrationRequired": "a change that requires a migration",
    "VolumesChange": "a volume migration",
}


def why_outdated(vmi: LauncherVMI, pod: Pod, configuration_changed: str | None) -> str | None:
    """
    The reason why the source pod does not describe the target pod, or None if it does.

    ``configuration_changed`` is the time of the last change to ``spec`` of the KubeVirt CR (see ``last_change``), or None if it
    is not known.
    """
    if OUTDATED_LABEL in (vmi.meta.labels or {}):
        return "the launcher image of the VMI is outdated"
    for condition in vmi.status.conditions or ():
        if condition.type in _CHANGES and condition.status == "True":
            return f"the VMI has {_CHANGES[condition.type]} that is not yet applied"
    if configuration_changed is None:
        return "the time of the last change to the KubeVirt CR is unknown"
    if configuration_changed >= (pod.meta.creation_timestamp or ""):
        return f"the KubeVirt CR changed after the pod started, at {configuration_changed}"
    return None


def last_change(kubevirt: Mapping[str, Json]) -> str | None:
    """
    The time of the last change to ``spec`` of a KubeVirt CR, from ``metadata.managedFields``. The result is None if the object
    contains no managed fields, as in the output of ``kubectl get`` without ``--show-managed-fields``.
    """
    entries = (kubevirt.get("metadata") or {}).get("managedFields") or ()
    times = [
        entry.get("time") or ""
        for entry in entries
        if not entry.get("subresource") and "f:spec" in (entry.get("fieldsV1") or {})
    ]
    return max(times, default=None)


def target_from_source(
    vmi: LauncherVMI,
    pod: Pod,
    version: Version,
    node_labels: Fact[Mapping[str, str]],
    added: tuple[Mapping[str, str], Mapping[str, str]] | None = None,
) -> Pod | NoPod | Unknown:
    """
    The target pod, from a source pod for which ``why_outdated`` has no reason.

    ``added`` are ``addedNodeSelector`` of the migration that created the source pod, and of the next migration. Without it, the
    source pod of a VMI that has migrated describes the target pod only if that migration added no selector.
    """
    before, after = added or ({}, {})
    if added is None and MIGRATION_LABEL in (pod.meta.labels or {}):
        return Unknown(
            "the source pod was the target of a migration, whose addedNodeSelector is unknown",
            "provide the VirtualMachineInstanceMigrations",
        )
    kept = vmi.spec.node_selector or {}
    own = {
        key: value for key, value in (pod.spec.node_selector or {}).items() if key in kept or before.get(key) != value
    }
    machine = vmi.status.machine.type if vmi.status.machine is not None else None
    if machine and reached(version, (1, 5, 1)):
        own = {key: value for key, value in own.items() if not key.startswith(MACHINE_TYPE_LABEL)}
        own[MACHINE_TYPE_LABEL + machine] = "true"
    selector = for_target(own, vmi, version, Source(node_labels, pod.spec.node_selector or {}), after)
    if isinstance(selector, NoPod | Unknown):
        return selector
    spec = msgspec.structs.replace(
        pod.spec,
        node_name="",
        node_selector=selector,
        affinity=_keep_off(pod.spec.affinity, vmi),
        volumes=_volumes(vmi, pod, version),
    )
    return Pod("v1", "Pod", _metadata(vmi, pod), spec, PodStatus())


def _volumes(vmi: LauncherVMI, pod: Pod, version: Version) -> list[PodVolume] | None:
    """The volumes without the claim with the state of the VMI, if KubeVirt creates a new one for the target pod."""
    state = state_claim(vmi, version, Unknown("the status of the VMI describes the claim"))
    if state is None or not state.is_replaced(version):
        return pod.spec.volumes
    return [volume for volume in pod.spec.volumes or () if volume.name != STATE_VOLUME]


def _metadata(vmi: LauncherVMI, pod: Pod) -> ObjectMeta:
    labels = {key: value for key, value in (pod.meta.labels or {}).items() if key != MIGRATION_LABEL}
    return msgspec.structs.replace(
        NO_META, generate_name=f"virt-launcher-{vmi.name}-", namespace=pod.namespace, labels=labels
    )


def _keep_off(placement: PodPlacement | None, vmi: LauncherVMI) -> PodPlacement:
    """Adds the term that keeps the target pod off the node of the source pod, if it is not there."""
    placement = placement or PodPlacement()
    anti = placement.pod_anti_affinity or PodAffinity()
    terms = anti.required or []
    term = PodTerm(LabelSelector({CREATED_BY: vmi.meta.uid or ""}), HOSTNAME)
    if term not in terms:
        terms = [*terms, term]
    return msgspec.structs.replace(placement, pod_anti_affinity=msgspec.structs.replace(anti, required=terms))
