"""
Computes whether a migration can finish in time, with KubeVirt's own formulas.

The time allowed is ``completionTimeoutPerGiB`` times the size in GB, and twice this time for a paused guest
(``newMigrationMonitor`` and ``handleLegacyConvergence`` of ``pkg/virt-launcher/virtwrap/live-migration-source.go``, v1.9.0).
The size is the sum of memory, overlays and migrated volumes, rounded up to GB of 10^9 bytes (``getVMIMigrationDataSize`` of
``pkg/virt-launcher/virtwrap/manager.go``, v1.9.0). The bandwidth is in whole MiB/s (``QuantityToMebiByte`` of
``pkg/virt-launcher/virtwrap/converter/vcpu/vcpu.go``, v1.9.0).

The best case is one pass over all data at full bandwidth, in which the guest writes no page again. The computation assumes that
every page is in use. Unused pages take no time, so a VM that uses only a part of its memory can finish earlier.

The size that KubeVirt transfers and the size that extends the timeout can differ. KubeVirt copies an ``emptyDisk``, but the
file of the disk is not in the folder that KubeVirt measures (``emptyDiskBaseDir`` of ``pkg/emptydisk/emptydisk.go``).
"""

from collections.abc import Mapping

import msgspec

from webhook.errors import BadInput
from webhook.kubevirt.settings.settings import (
    ALLOW_POST_COPY,
    ALLOW_WORKLOAD_DISRUPTION,
    BANDWIDTH,
    COMPLETION_TIMEOUT,
    PARALLEL_CLUSTER,
    PARALLEL_OUTBOUND,
)
from webhook.objects.meta import Json
from webhook.objects.quantity import Quantity, parse_quantity

MIB = 2**20
GIB = 2**30
GB = 10**9


def mebibytes_per_second(bandwidth: Quantity) -> int:
    """
    The bandwidth in MiB/s that KubeVirt gives libvirt. Less than 1Mi becomes 1, halves are rounded up, and 0 means unlimited.

    KubeVirt drops parts of a byte first, so less than one byte also means unlimited. A negative bandwidth is an error in
    KubeVirt, so callers exclude this case.
    """
    size = bandwidth.floor
    if size <= 0:
        return 0
    return 1 if size < MIB else (2 * size + MIB) // (2 * MIB)


class Budget(msgspec.Struct, frozen=True):
    """The bandwidth of a migration and the time allowed."""

    bandwidth: int
    """The bandwidth in MiB/s. The value 0 means unlimited."""
    timeout: int
    """
    The time allowed in seconds for each GB or part of a GB. The value 0 means no limit. A negative value cancels the migration
    immediately.
    """
    post_copy: bool = False
    """Whether KubeVirt may switch to post-copy at the timeout."""
    pause: bool = False
    """Whether KubeVirt may pause the guest at the timeout, and then wait for the same time again."""
    link: int = 0
    """The bandwidth of a node's migration link in bytes per second, or 0 if the bandwidth is unknown."""
    sharing: int = 1
    """The number of migrations that may share the link."""

    def rate(self) -> int:
        """The rate in bytes per second in the best case, or 0 if no limit is known."""
        bounds = [bound for bound in (self.bandwidth * MIB, self.link // max(1, self.sharing)) if bound > 0]
        return min(bounds, default=0)

    def allowed(self, size: int) -> int | None:
        """The seconds after which KubeVirt cancels a migration of ``size`` bytes, or None if KubeVirt never cancels it."""
        if self.timeout == 0 or self.post_copy:
            return None
        return self.timeout * gigabytes(size) * (2 if self.pause and self.timeout > 0 else 1)

    def duration(self, size: int) -> int | None:
        """The seconds that ``size`` bytes take in the best case, rounded up, or None if the rate is unknown."""
        rate = self.rate()
        return -(-size // rate) if rate else None

    def finishes(self, size: int, uncounted: int = 0) -> bool:
        """
        Whether ``size`` bytes and ``uncounted`` bytes can be transferred in time in the best case.

        Uncounted bytes do not extend the timeout.
        """
        allowed = self.allowed(size)
        if allowed is None:
            return True
        if allowed < 0:
            return False
        duration = self.duration(size + uncounted)
        return duration is None or duration <= allowed

    def largest(self) -> int | None:
        """
        The largest size in bytes that can finish. The result is None if there is no limit, and 0 if no migration can finish.

        Because KubeVirt rounds to GB, some smaller sizes fail. For example, at 5 MiB/s and 150 s, a transfer of 3000 MiB
        finishes in time and a transfer of 2800 MiB does not.
        """
        rate, allowed = self.rate(), self.allowed(1)
        if allowed is None:
            return None
        if allowed <= 0:
            return 0
        per_gb = rate * allowed  # bytes that can be transferred in the time for one GB
        if not rate or per_gb >= GB:
            return None
        gigabytes_begun = ceil_div(GB, GB - per_gb) - 1
        return gigabytes_begun * per_gb

    def hopeless(self) -> bool:
        """
        Whether the time for one GB is too short to transfer one GB. The migration of a VM above a certain size then cannot
        finish.
        """
        return self.largest() is not None


def gigabytes(size: int) -> int:
    """The size in GB of 10^9 bytes, rounded up like ``Quantity.ScaledValue(Giga)``."""
    return ceil_div(size, GB)


def ceil_div(number: int, divisor: int) -> int:
    """Divides whole numbers and rounds the result up."""
    return -(-number // divisor)


def budget_of(values: Mapping[str, Json], link: int = 0, *, post_copy_possible: bool = True) -> Budget:
    """
    The budget under the settings in force (``webhook.kubevirt.settings.settings.in_force``).

    KubeVirt 1.4 and earlier have no ``allowWorkloadDisruption``, so only ``allowPostCopy`` counts there. ``link`` is the
    bandwidth of a node's migration link in bytes per second. All migrations from the node share the link. If post-copy is
    allowed but not possible, KubeVirt pauses the guest instead.
    """
    bandwidth = parse_quantity(values[BANDWIDTH])
    post_copy = bool(values[ALLOW_POST_COPY])
    disruption = bool(values.get(ALLOW_WORKLOAD_DISRUPTION, post_copy))
    post_copy = post_copy and post_copy_possible
    return Budget(
        bandwidth=mebibytes_per_second(bandwidth) if bandwidth is not None else 0,
        timeout=values[COMPLETION_TIMEOUT],
        post_copy=post_copy and disruption,
        pause=disruption and not post_copy,
        link=link,
        sharing=min(values[PARALLEL_OUTBOUND], values[PARALLEL_CLUSTER]),
    )


def link_of(text: str) -> int:
    """The bandwidth of a link in bytes per second, or 0 for an empty text. Raises BadInput for an invalid quantity."""
    if not text:
        return 0
    quantity = parse_quantity(text)
    if quantity is None or quantity.floor <= 0:
        raise BadInput(
            f"invalid link {text!r}",
            remedy="Write the bandwidth in bytes per second as a quantity: 1250M for 10 Gbit/s, 3125M for 25 Gbit/s.",
        )
    return quantity.floor
