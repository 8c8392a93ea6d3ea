"""When bandwidth and time cannot be enough, in words. Not a rule itself."""

from collections.abc import Mapping

from webhook.kubevirt.settings.budget import GIB, MIB, budget_of, mebibytes_per_second
from webhook.kubevirt.settings.settings import BANDWIDTH, COMPLETION_TIMEOUT, bandwidth_of
from webhook.objects.meta import Json


def impossible(values: Mapping[str, Json]) -> tuple[str, int] | None:
    """
    Why no migration of more than a few GB can finish with these settings in force, and the most bytes that can.

    None where nothing keeps it from finishing. What is not a sound quantity or timeout is another rule's business.
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
    seconds = budget.duration(GIB)
    given = budget.timeout * (2 if budget.pause else 1)
    paused = ", pause included" if budget.pause else ""
    message = (
        f"at {speed} a GiB takes {seconds} s; it is cancelled after {given} s for each GB{paused}, unless post-copy is "
        f"allowed: no VM with more than {largest // MIB}Mi to carry can finish"
    )
    return message, largest
