"""
Whether KubeVirt's workload updater replaces the launcher of a VMI after an upgrade.

Source: ``getUpdateData`` and ``sync`` of ``pkg/virt-controller/watch/workload-updater/workload-updater.go``, v1.3.1 to v1.9.0. An
eviction of the updater also has to pass the eviction webhook (``webhook.drain.evictions``).
"""

from collections.abc import Collection
from typing import Final

from webhook.drain.evictions import Strategy
from webhook.objects.running import RunningVMI

MIGRATES: Final = "LiveMigrate"
EVICTS: Final = "Evict"
_NOT_MIGRATABLE: Final = "the VMI cannot be live-migrated"


def why_not_updated(vmi: RunningVMI, methods: Collection[str], strategy: str) -> str:
    """
    Why no method of ``workloadUpdateMethods`` replaces the launcher, as a part of a sentence. Empty if a method replaces it.

    ``strategy`` is the eviction strategy in force.
    """
    if MIGRATES in methods and vmi.is_migratable:
        return ""
    if EVICTS not in methods:
        if MIGRATES in methods:
            return f"workloadUpdateMethods has only {MIGRATES}, and {_NOT_MIGRATABLE}"
        return f"workloadUpdateMethods has neither {MIGRATES} nor {EVICTS}"
    if strategy == Strategy.EXTERNAL:
        return "the eviction waits for an outside controller, because evictionStrategy is External"
    if strategy == Strategy.LIVE_MIGRATE and not vmi.is_migratable:
        return (
            f"the eviction webhook refuses the eviction, because evictionStrategy is {strategy} and {_NOT_MIGRATABLE}"
        )
    return ""
