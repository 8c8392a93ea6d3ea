"""
Whether quotas and the size of nodes leave room for the target pod of a VM, beside the VM's own pod.

This module is loaded only if quotas or the resources of nodes are known, which is never the case at admission. It does no I/O.
Pods of equal size share one result for the same nodes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from webhook.facts.migration import MigrationFacts
from webhook.facts.target import NodeSizes, QuotaRoom, TargetRoom
from webhook.facts.world import World
from webhook.kubevirt.launcher.expected_pod import expected_pod
from webhook.kubevirt.launcher.known_nodes import Fitting, running_vms
from webhook.kubevirt.launcher.second_node import fitting_nodes
from webhook.kubevirt.subject import Subject
from webhook.objects.nad import Node
from webhook.objects.pods import Pod
from webhook.objects.quantity import NANO
from webhook.objects.quotas import ResourceQuota
from webhook.scheduling.pod_requests import CPU, EPHEMERAL_STORAGE, HUGE_PAGES, MEMORY, amounts, pod_requests
from webhook.scheduling.quota import Quotas, Refusal

_SIZES: Final = (CPU, MEMORY, EPHEMERAL_STORAGE)


def room_of(
    facts: MigrationFacts, subject: Subject, world: World, quotas: Sequence[ResourceQuota], nodes: tuple[Node, ...]
) -> TargetRoom | None:
    """The room for the target pod, or None if the pod is not known. ``quotas`` are those of the VM's namespace."""
    pod = expected_pod(facts, subject, world, (name for quota in quotas for name in quota.spec.hard or ()))
    if pod is None:
        return None
    return TargetRoom(tuple(_quotas(pod, quotas)), _sizes(pod, facts, nodes))


def _quotas(pod: Pod, quotas: Sequence[ResourceQuota]) -> Iterator[QuotaRoom]:
    """The quotas that refuse a second pod of the VM."""
    for quota in quotas:
        near = quota if quota.namespace else replace(quota, metadata=replace(quota.meta, namespace=pod.namespace))
        try:
            always = _exceeded(_charged(near, pod), pod)
            now = always or (_exceeded(Quotas([near]), pod) if near.status is not None else None)
        except ValueError:  # the API server refuses such a quantity
            continue
        if now is not None:
            yield QuotaRoom(quota.name, now.resources, now.text, is_full=always is None)


def _charged(quota: ResourceQuota, pod: Pod) -> Quotas:
    """A quota that only the VM's own pod uses."""
    quotas = Quotas([replace(quota, status=None)], [])
    quotas.charge(pod)
    return quotas


def _exceeded(quotas: Quotas, pod: Pod) -> Refusal | None:
    return next((one for one in quotas.pod(pod).refusals if one.reason == "exceeded"), None)


def _sizes(pod: Pod, facts: MigrationFacts, nodes: tuple[Node, ...]) -> NodeSizes:
    """The nodes that fit the VM, by whether the pod fits them when they are empty."""
    needs = tuple(
        (name, amount) for name, amount in pod_requests(pod).items() if name in _SIZES or name.startswith(HUGE_PAGES)
    )
    fitting = fitting_nodes(facts, running_vms(nodes), facts.releases)
    known = fitting.sizes.get(needs)
    if known is None:
        small = {name: lacks for name, most in _allocatable(fitting) if (lacks := tuple(_lacking(most, needs)))}
        known = fitting.sizes[needs] = NodeSizes(tuple(node.name for node in fitting.nodes), small)
    return known


def _allocatable(fitting: Fitting) -> Sequence[tuple[str, Mapping[str, int]]]:
    """The nodes with known ``status.allocatable``."""
    if fitting.allocatable is None:
        fitting.allocatable = [
            (node.name, amounts(node.status.allocatable))
            for node in fitting.nodes
            if node.status is not None and node.status.allocatable
        ]
    return fitting.allocatable


def _lacking(allocatable: Mapping[str, int], needs: Iterable[tuple[str, int]]) -> Iterator[tuple[str, int, int]]:
    for name, wanted in needs:
        most = allocatable.get(name, 0) // (NANO // 1000 if name == CPU else NANO)
        if wanted > most and (name != EPHEMERAL_STORAGE or name in allocatable):
            yield name, wanted, most
