"""Detects settings with too little bandwidth and time for larger VMs. Not a rule."""

from collections.abc import Mapping

from webhook.kubevirt.settings.budget import GIB, MIB, budget_of, mebibytes_per_second
from webhook.kubevirt.settings.settings import BANDWIDTH, COMPLETION_TIMEOUT, bandwidth_of
from webhook.objects.meta import Json


def impossible(values: Mapping[str, Json]) -> tuple[str, int] | None:
    """
    The reason why no large migration can finish under these settings, and the largest size in bytes that can finish.

    The result is None if every size can finish. Other rules judge invalid quantities and timeouts.
    """
    bandwidth = bandwidth_of(values)
    if bandwidth is None or bandwidth.nano <= 0 or values[COMPLETION_TIMEOUT] <= 0:
        return None
    budget = budget_of(values)
    largest = budget.largest()
    if largest is None:
        return None
    speed = f"{values[BANDWIDTH]}"
    counted = f"{mebibytes_per_second(bandwidth)}Mi"
    if speed != counted:
        speed = f"{counted} (from {speed})"
    allowed = budget.timeout * (2 if budget.pause else 1)
    paused = ", pause included" if budget.pause else ""
    message = (
        f"at {speed} per second, a GiB takes {budget.duration(GIB)} s, but KubeVirt cancels the migration after "
        f"{allowed} s per GB{paused}. Unless post-copy is allowed, a VM with more than {largest // MIB}Mi to transfer "
        "cannot finish a migration"
    )
    return message, largest
