"""
Whether a migration can finish in time, as KubeVirt computes it.

Sources, v1.9.0: ``newMigrationMonitor`` and ``handleLegacyConvergence`` of
``pkg/virt-launcher/virtwrap/live-migration-source.go`` (the time allowed is ``completionTimeoutPerGiB`` times the size in
GB; a paused guest doubles it), ``getVMIMigrationDataSize`` of ``pkg/virt-launcher/virtwrap/manager.go`` (memory, overlays
and migrated volumes are added, then rounded up to GB of 10^9 bytes) and ``QuantityToMebiByte`` of
``pkg/virt-launcher/virtwrap/converter/vcpu/vcpu.go`` (bandwidth in whole MiB/s).

The best case is one pass over all data at full bandwidth. It assumes that every page is in use and that no page is written
again. Pages that the guest never used take no time, so a VM that uses less than its memory may finish earlier.

The size that KubeVirt transfers and the size that extends the timeout can differ: KubeVirt copies an ``emptyDisk``, but its
file is not in the folder that it measures (``emptyDiskBaseDir`` of ``pkg/emptydisk/emptydisk.go``).
"""

from collections.abc import Mapping

import msgspec

from webhook.kubevirt.quantity import Quantity, parse_quantity
from webhook.kubevirt.settings.settings import (
    ALLOW_POST_COPY,
    ALLOW_WORKLOAD_DISRUPTION,
    BANDWIDTH,
    COMPLETION_TIMEOUT,
    PARALLEL_CLUSTER,
    PARALLEL_OUTBOUND,
)
from webhook.objects.meta import Json

MIB = 2**20
GIB = 2**30
GB = 10**9


def mebibytes_per_second(bandwidth: Quantity) -> int:
    """
    The bandwidth that KubeVirt gives libvirt, in MiB/s: less than 1Mi becomes 1, halves are rounded up, 0 is unlimited.

    KubeVirt drops parts of a byte first, so less than one byte is unlimited too. A negative bandwidth is an error in
    KubeVirt; callers exclude it.
    """
    size = bandwidth.floor
    if size <= 0:
        return 0
    return 1 if size < MIB else (2 * size + MIB) // (2 * MIB)


class Budget(msgspec.Struct, frozen=True):
    """The bandwidth and time of a migration."""

    bandwidth: int
    """The bandwidth in MiB/s; 0 is unlimited."""
    timeout: int
    """The time allowed in seconds per GB, rounded up. 0 means no limit. A negative number cancels the migration immediately."""
    post_copy: bool = False
    """Whether KubeVirt may switch to post-copy at the timeout."""
    pause: bool = False
    """Whether KubeVirt may pause the guest at the timeout, and then wait for the same time again."""
    link: int = 0
    """Bytes per second of a node's migration link; 0 if unknown."""
    sharing: int = 1
    """How many migrations may share the link."""

    def rate(self) -> int:
        """Bytes per second in the best case; 0 without a known limit."""
        bounds = [bound for bound in (self.bandwidth * MIB, self.link // max(1, self.sharing)) if bound > 0]
        return min(bounds, default=0)

    def allowed(self, size: int) -> int | None:
        """Seconds until KubeVirt cancels a migration of ``size`` bytes; None where it never cancels it."""
        if self.timeout == 0 or self.post_copy:
            return None
        return self.timeout * gigabytes(size) * (2 if self.pause and self.timeout > 0 else 1)

    def duration(self, size: int) -> int | None:
        """Seconds for ``size`` bytes in the best case, rounded up; None where the rate is not known."""
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
        The largest size in bytes that can finish; None without a limit, 0 where no migration can finish.

        Because of rounding to GB, some smaller sizes fail: at 5 MiB/s and 150 s, 3000 MiB pass and 2800 MiB do not.
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
        """Whether the time for a GB is too short to transfer a GB, so that VMs above a certain size cannot finish."""
        return self.largest() is not None


def gigabytes(size: int) -> int:
    """``size`` bytes in GB of 10^9, rounded up, as ``Quantity.ScaledValue(Giga)`` does."""
    return ceil_div(size, GB)


def ceil_div(number: int, divisor: int) -> int:
    """Division rounded up, for whole numbers."""
    return -(-number // divisor)


def budget_of(values: Mapping[str, Json], link: int = 0, *, post_copy_possible: bool = True) -> Budget:
    """
    The budget under the settings in force (``webhook.kubevirt.settings.settings.in_force``).

    In 1.4 and earlier, without ``allowWorkloadDisruption``, only ``allowPostCopy`` counts. ``link`` is the bandwidth of a
    node's migration link in bytes per second. All migrations from the node share the link. Where post-copy is allowed but not
    possible, KubeVirt pauses the guest instead.
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
