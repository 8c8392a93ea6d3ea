"""
Limits that KubeVirt adds because the quotas of the namespace ask for them.

Source: ``doesVMIRequireAutoResourceLimits`` and ``doesVMIRequireAutoCPULimits`` of
``pkg/virt-controller/services/template.go``, v1.3.1 to v1.9.0. This module does no I/O.
"""

from collections.abc import Iterator

from webhook.facts.unknown import Unknown
from webhook.kubevirt.launcher.surroundings import Surroundings, gate_is_on
from webhook.objects.launcher_vmi import LauncherVMI
from webhook.scheduling.label_selectors import selects


def limited_resources(vmi: LauncherVMI, around: Surroundings) -> tuple[str, ...] | Unknown:
    """
    The resources, of ``cpu`` and ``memory``, for which KubeVirt writes a limit that the VMI does not have.

    Where no quota is known, the result has none: such a limit matters only to quotas, because every container of KubeVirt's has
    requests.
    """
    own = vmi.spec.domain.resources.limits or {}
    limited = [name for name in _of_quotas(around) if name not in own]
    selector = around.configuration.auto_cpu_limit_selector
    if selector is not None and "cpu" not in own and "cpu" not in limited:
        if isinstance(around.namespace_labels, Unknown):
            return around.namespace_labels.within("the labels of the namespace decide whether the pod has a CPU limit")
        if selects(selector, around.namespace_labels):
            limited.append("cpu")
    if "memory" in limited and isinstance(around.namespace_labels, Unknown):
        return around.namespace_labels.within("the labels of the namespace decide the memory limit of the pod")
    return tuple(limited)


def _of_quotas(around: Surroundings) -> Iterator[str]:
    if isinstance(around.quota_resources, Unknown) or not gate_is_on(around, "AutoResourceLimitsGate"):
        return
    yield from (name for name in ("cpu", "memory") if f"limits.{name}" in around.quota_resources)
