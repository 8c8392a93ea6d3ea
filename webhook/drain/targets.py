"""The pods that a drain creates: target pods of migrations, and launchers of VMs that start again elsewhere."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Final, TypeVar

import msgspec
from msgspec.structs import replace

from webhook.drain.evictions import Key
from webhook.drain.inputs import Inputs, by_name
from webhook.drain.target_needs import DEFAULT_CLASS, Beside, state_claim_of_target
from webhook.drain.under_way import UnderWay
from webhook.facts.unknown import Fact, Unknown
from webhook.kubevirt.cluster import cluster_of
from webhook.kubevirt.launcher.attachment_pod import attachment_pod
from webhook.kubevirt.launcher.launcher_pod import Rendered, launcher_pod, restart_pod
from webhook.kubevirt.launcher.node_selector import node_selector
from webhook.kubevirt.launcher.selectors import family_of, is_from_labeller
from webhook.kubevirt.launcher.started_vmi import started_vmi
from webhook.kubevirt.launcher.surroundings import NoPod, Surroundings
from webhook.kubevirt.launcher.target_pod import Source, for_target, target_pod
from webhook.kubevirt.launcher.volumes import STATE_VOLUME, state_claim
from webhook.kubevirt.subject import name_of_template
from webhook.objects.launcher_configuration import LauncherConfiguration, LauncherKubeVirt
from webhook.objects.launcher_vmi import LauncherTemplate, LauncherVM, LauncherVMI
from webhook.objects.meta import Json, Kubernetes, ObjectMeta
from webhook.objects.nad import Namespace, NetworkAttachmentDefinition
from webhook.objects.pods import Container, Pod, PodVolume
from webhook.objects.quotas import LimitRange, PriorityClass, ResourceQuota
from webhook.objects.running import RunningVMI
from webhook.objects.storage import ClaimSpec, PersistentVolume, PersistentVolumeClaim, StorageClass
from webhook.objects.vm import VirtualMachine
from webhook.scheduling.pod_defaults import stored

K = TypeVar("K", bound=Kubernetes)

_ON_EVERY_NODE: Final = ("kubevirt.io/schedulable", "kubernetes.io/arch")
_USUAL_RESOURCES: Final = ("devices.kubevirt.io/", "ephemeral-storage")
"""Prefixes of resources that the nodes of a running cluster have. Nodes that a user has written by hand can lack them."""
_SOURCE_UNKNOWN: Final = Unknown("the launcher of the VMI was not provided", "provide all pods")
_ANY_VOLUME: Final = "The volumes were not provided, so the rehearsal assumes that every node can use them."


class Targets:
    """The pods of the VMIs of a cluster."""

    def __init__(self, inputs: Inputs) -> None:
        self._inputs, self._under_way = inputs, UnderWay(inputs)
        self._vmis = by_name(inputs.fleet.given(LauncherVMI))
        self._spaces: dict[str, Surroundings] = {}
        self._has_selinux = any(vmi.status.selinux_context for vmi in self._vmis.values())
        self._ranges = inputs.fleet.given(LimitRange)
        self._classes = inputs.fleet.given(PriorityClass)

    def target(self, key: Key, launcher: Pod | None, node: str) -> Pod | NoPod | Unknown:
        """
        The target pod of the migration of a VMI from ``node``, as the API server stores it. ``launcher`` is the pod in which it
        runs.
        """
        vmi = self._vmis.get(key)
        if vmi is None:
            return Unknown(f"VirtualMachineInstance {'/'.join(key)} was not provided", "provide all VMIs")
        if not self._has_selinux:  # the objects are not those of a running cluster
            vmi = replace(vmi, status=replace(vmi.status, selinux_context="none"))
        if (missing := self._missing_claim(vmi)) is not None:
            return missing
        source = self._source(launcher, node)
        added = self._under_way.added_selector(key, node)
        return self._stored(target_pod(vmi, self._around(key[0]), source, added), f"{key[1]} (target from {node})")

    def restarted(self, key: Key) -> Pod | NoPod | Unknown:
        """The launcher of a VM that starts again after its launcher was evicted, as the API server stores it."""
        vmi = self._vmis.get(key)
        if vmi is None:
            return Unknown(f"VirtualMachineInstance {'/'.join(key)} was not provided", "provide all VMIs")
        if (missing := self._missing_claim(vmi)) is not None:
            return missing
        stopped = replace(vmi, status=replace(vmi.status, node_name="", phase="Scheduling"))
        return self._stored(restart_pod(stopped, self._around(key[0])), f"{key[1]} (restart)")

    def started(self, judged: VirtualMachine | RunningVMI) -> Pod | NoPod | Unknown:
        """The launcher of a VM that starts now, or of a VMI that KubeVirt has not stored, as the API server stores it."""
        around, namespace = self._around(judged.namespace), judged.namespace
        vmi = started_vmi(judged, self._template(judged), self._inputs.world, around.configuration, around.version)
        if isinstance(vmi, Unknown):
            return vmi
        vmi = self._without_new_claims(vmi, judged)
        if (missing := self._missing_claim(vmi)) is not None:
            return missing
        rendered = launcher_pod(vmi, around)
        if isinstance(rendered, Rendered):
            known = self._claims(namespace)
            kept = tuple(one for one in rendered.volumes if one.name != STATE_VOLUME or _claim_of(one) in known)
            rendered = replace(rendered, volumes=kept)
        return self._stored(rendered, f"{judged.name} (start)")

    def _template(self, judged: VirtualMachine | RunningVMI) -> LauncherTemplate:
        key = (judged.namespace, judged.name)
        if isinstance(judged, VirtualMachine):
            return self._vms[key].spec.template or LauncherTemplate()
        return LauncherTemplate(judged.meta, self._vmis[key].spec)

    @cached_property
    def _vms(self) -> Mapping[Key, LauncherVM]:
        return by_name(self._inputs.fleet.given(LauncherVM))

    def _without_new_claims(self, vmi: LauncherVMI, judged: VirtualMachine | RunningVMI) -> LauncherVMI:
        """The VMI without the volumes whose claims KubeVirt has not created yet, or of which no claim was provided."""
        known = self._claims_by_namespace.get(judged.namespace, {})
        templates = judged.spec.data_volume_templates if isinstance(judged, VirtualMachine) else None
        new = {name_of_template(one) for one in templates or ()} - known.keys()
        is_unknown = PersistentVolumeClaim not in self._inputs.fleet.provided
        kept = [one for one in vmi.spec.volumes or () if not one.claim or not (is_unknown or one.claim in new)]
        for volume in vmi.spec.volumes or ():
            if volume not in kept and volume.claim in new:
                self._inputs.assume(f"Every node can use PVC {volume.claim}, which KubeVirt creates with the VM.")
            elif volume not in kept:
                self._inputs.assume(_ANY_VOLUME)
        return replace(vmi, spec=replace(vmi.spec, volumes=kept))

    def selector(self, key: Key, launcher: Pod, node: str) -> Mapping[str, str] | NoPod | Unknown:
        """The node selector of the target pod of a migration from ``node``, as KubeVirt renders it."""
        vmi, around = self._vmis[key], self._around(key[0])
        return for_target(node_selector(vmi, around), vmi, around.version, self._source(launcher, node), {})

    def selector_after_restart(self, key: Key) -> Mapping[str, str]:
        """The node selector of the launcher after a restart of the VM, as KubeVirt renders it."""
        vmi = self._vmis[key]
        return node_selector(replace(vmi, status=replace(vmi.status, machine=None)), self._around(key[0]))

    def beside(self, key: Key, launcher: Pod | None) -> Beside:
        """The objects that KubeVirt creates beside the target pod of a migration."""
        vmi, around = self._vmis.get(key), self._around(key[0])
        if vmi is None:
            return Beside()
        tolerations = launcher.spec.tolerations if launcher is not None else None
        attachment = attachment_pod(vmi, around, "", tolerations or ())
        if attachment is not None:
            attachment = self._as_stored(attachment, f"{key[1]} (attachment)")
        state = state_claim(vmi, around.version, around.claims)
        if state is None or not state.is_replaced(around.version):
            return Beside(attachment)
        return Beside(attachment, state_claim_of_target(key[0], self._state_class()))

    def _state_class(self) -> str:
        """The StorageClass of a new claim for the state of a VM (``getStorageClass``)."""
        configured = self._inputs.configuration.vm_state_storage_class
        known = self._inputs.fleet.given(StorageClass)
        marked = (
            one.name for mark in DEFAULT_CLASS for one in known if (one.meta.annotations or {}).get(mark) == "true"
        )
        return configured or next(marked, "")

    def _source(self, launcher: Pod | None, node: str) -> Source:
        if launcher is None:
            return Source(self._labels(node), _SOURCE_UNKNOWN)
        status = launcher.status
        statuses = (*(status.container_statuses or ()), *(status.init_container_statuses or ()))
        return Source(self._labels(node), launcher.spec.node_selector or {}, statuses)

    def _stored(self, rendered: Rendered | NoPod | Unknown, name: str) -> Pod | NoPod | Unknown:
        return self._as_stored(rendered.pod(), name) if isinstance(rendered, Rendered) else rendered

    def _as_stored(self, sent: Pod, name: str) -> Pod:
        pod = self._reduced(sent)
        named = replace(pod, metadata=replace(pod.meta, name=name, generate_name=None))
        return stored(named, self._ranges, self._classes)

    def _reduced(self, pod: Pod) -> Pod:
        """The pod without the selectors and resources that no node of the input reports. The assumptions name them."""
        spec = pod.spec
        selector = {key: value for key, value in (spec.node_selector or {}).items() if not self._is_unreported(key)}
        spec = replace(spec, node_selector=selector)
        unreported = tuple(prefix for prefix in _USUAL_RESOURCES if not self._reports(prefix))
        if unreported:
            spec = replace(spec, containers=[_without(one, unreported) for one in spec.containers or ()])
            names = " or ".join(f"{prefix}*" if prefix.endswith("/") else prefix for prefix in unreported)
            self._inputs.assume(f"No node has {names} in status.allocatable, so the rehearsal assumes enough of it.")
        if self._assumes_volumes:
            if spec.volumes:
                self._inputs.assume(_ANY_VOLUME)
            spec = replace(spec, volumes=None)
        return replace(pod, spec=spec)

    @property
    def _assumes_volumes(self) -> bool:
        kinds = (PersistentVolume, PersistentVolumeClaim)
        is_unread = any(kind in self._inputs.fleet.unread for kind in kinds)
        return not is_unread and any(self._inputs.is_assumed_absent(kind) for kind in kinds)

    def _is_unreported(self, key: str) -> bool:
        family = family_of(key)
        if (is_from_labeller(key) or key in _ON_EVERY_NODE) and family not in self._families:
            self._inputs.assume(f"No node has a label of {family}, so the rehearsal assumes that all nodes satisfy it.")
            return True
        return False

    @cached_property
    def _families(self) -> frozenset[str]:
        """The families of the labels of all nodes."""
        nodes = self._inputs.nodes.values()
        return frozenset(family_of(key) for node in nodes for key in node.meta.labels or ())

    def _reports(self, prefix: str) -> bool:
        """Whether a node has a resource whose name has this prefix, or whether no node has any resource."""
        return not self._resources or any(name.startswith(prefix) for name in self._resources)

    @cached_property
    def _resources(self) -> frozenset[str]:
        statuses = [node.status for node in self._inputs.nodes.values() if node.status is not None]
        return frozenset(name for status in statuses for name in status.allocatable or ())

    def _labels(self, node: str) -> Fact[Mapping[str, str]]:
        known = self._inputs.nodes.get(node)
        return (
            Unknown(f"Node {node} was not provided", "provide all nodes") if known is None else known.meta.labels or {}
        )

    def _around(self, namespace: str) -> Surroundings:
        known = self._spaces.get(namespace)
        if known is None:
            known = self._spaces[namespace] = self._surroundings(namespace)
        return known

    def _surroundings(self, namespace: str) -> Surroundings:
        fleet = self._inputs.fleet
        crs = fleet.given(LauncherKubeVirt)
        spaces = {one.name: one.meta.labels or {} for one in fleet.given(Namespace)}
        return Surroundings(
            self._inputs.version,
            (crs[0].spec.configuration or LauncherConfiguration()) if crs else self._of_hyper_converged,
            cluster_of(self._inputs.world).architecture or "amd64",
            spaces.get(namespace, {}),
            frozenset(
                name
                for quota in fleet.given(ResourceQuota)
                if quota.namespace == namespace
                for name in quota.spec.hard or ()
            ),
            self._claims(namespace),
            {f"{one.namespace}/{one.name}": one.meta.annotations or {} for one in self._networks},
        )

    @cached_property
    def _of_hyper_converged(self) -> LauncherConfiguration:
        """The part of the configuration that HyperConverged's operator is known to write, if there is no KubeVirt CR."""
        known = _without_absent(msgspec.to_builtins(self._inputs.configuration))
        return msgspec.convert(known, LauncherConfiguration)

    def _claims(self, namespace: str) -> Mapping[str, PersistentVolumeClaim]:
        """The claims of a namespace. If no claim was provided, each claim that a VMI names exists, in block mode."""
        if self._inputs.is_assumed_absent(PersistentVolumeClaim):
            spec = ClaimSpec(volume_mode="Block")
            names = {name for (space, _), vmi in self._vmis.items() if space == namespace for name in _claims_of(vmi)}
            return {
                name: PersistentVolumeClaim(metadata=ObjectMeta(name, namespace=namespace), spec=spec) for name in names
            }
        return self._claims_by_namespace.get(namespace, {})

    @cached_property
    def _claims_by_namespace(self) -> Mapping[str, Mapping[str, PersistentVolumeClaim]]:
        claims: dict[str, dict[str, PersistentVolumeClaim]] = {}
        for one in self._inputs.fleet.given(PersistentVolumeClaim):
            claims.setdefault(one.namespace, {})[one.name] = one
        return claims

    def _missing_claim(self, vmi: LauncherVMI) -> Unknown | None:
        """The first claim of a VMI that can exist, although it was not provided."""
        fleet = self._inputs.fleet
        if PersistentVolumeClaim in fleet.complete or self._inputs.is_assumed_absent(PersistentVolumeClaim):
            return None
        known = self._claims_by_namespace.get(vmi.namespace, {})
        name = next((name for name in _claims_of(vmi) if name not in known), None)
        if name is None:
            return None
        return Unknown(f"PersistentVolumeClaim {vmi.namespace}/{name} was not provided", "provide all claims")

    @cached_property
    def _networks(self) -> tuple[NetworkAttachmentDefinition, ...]:
        return self._inputs.fleet.given(NetworkAttachmentDefinition)


def _claim_of(volume: PodVolume) -> str:
    claim = volume.persistent_volume_claim
    return claim.claim_name if claim is not None else ""


def _claims_of(vmi: LauncherVMI) -> Iterator[str]:
    """The claims that the volumes of a VMI name."""
    return (volume.claim for volume in vmi.spec.volumes or () if volume.claim)


def _without(container: Container, prefixes: tuple[str, ...]) -> Container:
    """The container without the requests and limits of resources whose names have one of the prefixes."""
    needs = container.resources
    if needs is None:
        return container
    kept = {
        part: {name: amount for name, amount in (getattr(needs, part) or {}).items() if not name.startswith(prefixes)}
        for part in ("requests", "limits")
    }
    return replace(container, resources=replace(needs, **kept))


def _without_absent(value: Json) -> Json:
    """The value without the fields that are None."""
    if isinstance(value, dict):
        return {key: _without_absent(member) for key, member in value.items() if member is not None}
    return [_without_absent(item) for item in value] if isinstance(value, list) else value
