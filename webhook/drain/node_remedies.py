"""The remedies for a pod that fits no other node, by the reason that excludes the most nodes."""

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from webhook.kubevirt.launcher.host_model import MIGRATION_LABEL
from webhook.kubevirt.launcher.selectors import CPU_MODEL_LABEL, MACHINE_TYPE_LABEL
from webhook.objects.nad import CPU_FEATURE_LABEL
from webhook.objects.pods import Pod
from webhook.scheduling.pod_requests import CPU, MEMORY, pod_requests
from webhook.scheduling.state import ClusterState

_INSUFFICIENT: Final = "Insufficient "
_SELECTOR: Final = "node affinity/selector"
_TAINT: Final = "untolerated taint"
_UNSCHEDULABLE: Final = "were unschedulable"
_SHUT_DOWN: Final = "or shut down the VM before the drain"
_OTHERWISE: Final = "Or shut down the VM before the drain."
_FROM_THE_HOST: Final = (CPU_FEATURE_LABEL, MIGRATION_LABEL, "cpu-vendor.node.kubevirt.io/")
_HOSTNAME: Final = "kubernetes.io/hostname"
_SCHEDULABLE: Final = "kubevirt.io/schedulable"
_OF_THE_NODE: Final = (
    "kubernetes.io/arch",
    "hyperv.node.kubevirt.io/",
    "scheduling.node.kubevirt.io/",
    "kubevirt.io/",
    "cpumanager",
)
"""Labels that describe the hardware of a node, or that KubeVirt sets. An administrator must not add them by hand."""
_MIB: Final = 2**20
_NOT_PROVIDED: Final = re.compile(r"(?:status\.allocatable of )?(?:the )?(\w+)\b.* (was|were) not provided")
_SPELLED: Final = {"node": "Node", "pods": "Pods"}


def absent_labels(pod: Pod, state: ClusterState, drained: Collection[str]) -> list[tuple[str, str]]:
    """The labels in the ``nodeSelector`` of a pod that no other node has."""
    others = [node.labels for name, node in state.nodes.items() if name not in drained]
    selector = pod.spec.node_selector or {}
    return [(key, value) for key, value in sorted(selector.items()) if all(one.get(key) != value for one in others)]


def remedy_for(pod: Pod, state: ClusterState, drained: Collection[str], reasons: Sequence[str]) -> str:
    """A sentence in the imperative. ``reasons`` are those of kube-scheduler, each with the number of nodes."""
    if not state.nodes.keys() - set(drained):
        return f"Add another node, {_SHUT_DOWN}."
    absent = absent_labels(pod, state, drained)
    if absent:
        return _for_labels(absent)
    most = max(reasons, key=_count, default="")
    if _INSUFFICIENT in most:
        return f"Free resources on another node: the pod requests {_requested(pod, most)}. Or add a node, {_SHUT_DOWN}."
    if _TAINT in most:
        return f"Add a toleration to the VM, or remove the taint of another node, {_SHUT_DOWN}."
    if _UNSCHEDULABLE in most:
        return f"Uncordon another node, {_SHUT_DOWN}."
    if _SELECTOR in most:
        return f"Provide a node with all labels that the pod requires, or relax the affinity of the VM, {_SHUT_DOWN}."
    return f"Provide a node that fits, {_SHUT_DOWN}."


def remedy_for_unknown(reasons: Iterable[str]) -> str:
    """
    A sentence in the imperative for a pod of which it is unknown whether a node fits. It names the kinds that were not provided.
    """
    found = [match for match in map(_NOT_PROVIDED.match, reasons) if match]
    kinds = sorted({_SPELLED.get(one[1], one[1]) + ("s" if one[2] == "was" else "") for one in found})
    if not kinds:
        return "Check by hand whether another node fits, or migrate this VM before the drain."
    return f"Provide all {' and '.join(kinds)} of the cluster."


def _for_labels(absent: Sequence[tuple[str, str]]) -> str:
    key, value = min(absent, key=lambda one: one[0] == _SCHEDULABLE)  # any other label has a more precise remedy
    if key == _SCHEDULABLE:
        return f"Check virt-handler: no other node has the label {key}={value}, which it sets. {_OTHERWISE}"
    if key.startswith(_OF_THE_NODE):
        return f"Provide a node with the label {key}={value}, which describes its hardware or settings. {_OTHERWISE}"
    if key.startswith(_FROM_THE_HOST):
        return f"Restart the VM: its launcher requires the label {key}, which no other node has."
    if key.startswith(MACHINE_TYPE_LABEL):
        return f"Restart the VM: it has machine type {key[len(MACHINE_TYPE_LABEL) :]}, which no other node supports."
    if key.startswith(CPU_MODEL_LABEL):
        return f"Choose a CPU model that other nodes support: no other node supports {key[len(CPU_MODEL_LABEL) :]}."
    if key == _HOSTNAME:
        return f"Remove {key} from the VM's nodeSelector, which ties the VM to {value}, {_SHUT_DOWN}."
    return f"Add the label {key}={value} to another node that can run the VM, or remove it from the VM's nodeSelector."


def _requested(pod: Pod, reason: str) -> str:
    name = reason.partition(_INSUFFICIENT)[2]
    amount = pod_requests(pod).get(name, 0)
    if name == CPU:
        return f"{amount}m {name}"
    return f"{-(-amount // _MIB)}Mi {name}" if name == MEMORY else f"{amount} {name}"


def _count(reason: str) -> int:
    number = reason.partition(" ")[0]
    return int(number) if number.isdecimal() else 0
