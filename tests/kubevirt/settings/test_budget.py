"""Whether a migration can finish in time: a table computed by hand."""

from dataclasses import dataclass
from typing import Any

import pytest

from webhook.kubevirt.releases import TABLE
from webhook.kubevirt.settings.budget import MIB, budget_of
from webhook.kubevirt.settings.settings import in_force
from webhook.objects.quantity import parse_quantity

FOREVER = None
GIGABIT = 10**9 // 8


@dataclass(frozen=True)
class Worked:
    """One row: settings, what has to be carried, and every figure on the way to the answer."""

    settings: dict[str, Any]
    memory: str
    rate: int
    """Bytes per second in the best case, 0 where nothing bounds it."""
    allowed: int | None
    duration: int | None
    finishes: bool
    largest: int | None
    """MiB, rounded down; None where any size can finish."""
    overlay: str = "0"
    """Bytes written to container disks, which extend the timeout."""
    empty_disk: str = "0"
    """Bytes written to empty disks, which do not extend the timeout."""
    link: int = 0
    release: str = "1.9"


def of(memory: str, settings: dict[str, Any], **more: Any) -> Worked:
    return Worked(settings, memory, **more)


SLOW = {"bandwidthPerMigration": "5Mi"}
TABLE_OF_20 = {
    # 4Gi = 4,294,967,296 bytes, 5 GB begun: 5 x 150 = 750 s. No limit on bandwidth, so nothing takes a known time.
    "KubeVirt's defaults": of("4Gi", {}, rate=0, allowed=750, duration=None, finishes=True, largest=None),
    # 8Gi = 8,589,934,592, 9 GB: 9 x 150 = 1350 s. 8192 Mi / 64 = 128 s. A GB's 150 s carry 9600 Mi, far more than a GB.
    "64Mi": of(
        "8Gi",
        {"bandwidthPerMigration": "64Mi"},
        rate=67_108_864,
        allowed=1350,
        duration=128,
        finishes=True,
        largest=None,
    ),
    # 1Gi = 1,073,741,824, 2 GB: 300 s. 1024 / 5 = 204.8, so 205 s. A GB's 150 s carry 750 Mi = 786,432,000 bytes:
    # 213,568,000 short of a GB, so 10^9 / 213,568,000 = 4.68: up to 4 GB begun, 4 x 750 = 3000 Mi.
    "5Mi, 1Gi": of("1Gi", SLOW, rate=5_242_880, allowed=300, duration=205, finishes=True, largest=3000),
    # 2800Mi = 2,936,012,800, 3 GB: 450 s. 2800 / 5 = 560 s. Less than 3000 Mi and yet too much: rounding gives 3 GB, not 4.
    "5Mi, 2800Mi": of("2800Mi", SLOW, rate=5_242_880, allowed=450, duration=560, finishes=False, largest=3000),
    # 3000Mi = 3,145,728,000, 4 GB: 600 s. 3000 / 5 = 600 s, to the second.
    "5Mi, 3000Mi": of("3000Mi", SLOW, rate=5_242_880, allowed=600, duration=600, finishes=True, largest=3000),
    # 3001Mi, still 4 GB: 600 s. 3001 / 5 = 600.2, so 601 s.
    "5Mi, 3001Mi": of("3001Mi", SLOW, rate=5_242_880, allowed=600, duration=601, finishes=False, largest=3000),
    # 1.3 gives 800 s a GB. 64Gi = 68,719,476,736, 69 GB: 55,200 s. 65,536 / 5 = 13,107.2. 800 x 5 = 4000 Mi a GB: no limit.
    "5Mi in 1.3": of(
        "64Gi", SLOW, rate=5_242_880, allowed=55_200, duration=13_108, finishes=True, largest=None, release="1.3"
    ),
    # 64M = 64,000,000; / 1,048,576 = 61.04, rounded to 61 MiB/s. 16Gi = 17,179,869,184, 18 GB: 2700 s.
    # 16,384 / 61 = 268.6, so 269 s.
    "64M is 61Mi": of(
        "16Gi",
        {"bandwidthPerMigration": "64M"},
        rate=63_963_136,
        allowed=2700,
        duration=269,
        finishes=True,
        largest=None,
    ),
    # Less than 1Mi becomes 1Mi. 512Mi = 536,870,912, 1 GB: 150 s. 512 / 1 = 512 s. 150 Mi = 157,286,400 bytes a GB;
    # 10^9 / 842,713,600 = 1.19: 1 GB begun, 150 Mi.
    "512Ki is 1Mi": of(
        "512Mi",
        {"bandwidthPerMigration": "512Ki"},
        rate=1_048_576,
        allowed=150,
        duration=512,
        finishes=False,
        largest=150,
    ),
    # 1536Ki = 1.5 MiB, halves are rounded up to 2. 256Mi, 1 GB: 150 s. 256 / 2 = 128 s. 300 Mi = 314,572,800 a GB;
    # 10^9 / 685,427,200 = 1.46: 300 Mi.
    "1536Ki is 2Mi": of(
        "256Mi",
        {"bandwidthPerMigration": "1536Ki"},
        rate=2_097_152,
        allowed=150,
        duration=128,
        finishes=True,
        largest=300,
    ),
    # A timeout of 0 s is none: the migration takes 65,536 / 5 = 13,107.2 s and is not cancelled.
    "no timeout": of(
        "64Gi",
        {**SLOW, "completionTimeoutPerGiB": 0},
        rate=5_242_880,
        allowed=FOREVER,
        duration=13_108,
        finishes=True,
        largest=None,
    ),
    # When the time is over the guest runs on the target, so nothing is cancelled.
    "post-copy": of(
        "64Gi",
        {**SLOW, "allowPostCopy": True},
        rate=5_242_880,
        allowed=FOREVER,
        duration=13_108,
        finishes=True,
        largest=None,
    ),
    # 4Gi, 5 GB: 750 s, then the guest is paused and has as long again: 1500 s. 4096 / 5 = 819.2. 300 x 5 = 1500 Mi a GB.
    "pause": of(
        "4Gi",
        {**SLOW, "allowWorkloadDisruption": True},
        rate=5_242_880,
        allowed=1500,
        duration=820,
        finishes=True,
        largest=None,
    ),
    # 2Gi = 2,147,483,648, 3 GB: 450 s, with the pause 900 s. 2048 / 2 = 1024 s. 300 x 2 = 600 Mi = 629,145,600 a GB;
    # 10^9 / 370,854,400 = 2.70: 2 GB begun, 1200 Mi.
    "a pause is not enough": of(
        "2Gi",
        {"bandwidthPerMigration": "2Mi", "allowWorkloadDisruption": True},
        rate=2_097_152,
        allowed=900,
        duration=1024,
        finishes=False,
        largest=1200,
    ),
    # From 1.5 on post-copy waits for allowWorkloadDisruption, so it never comes: 3 GB, 450 s; 2048 / 5 = 409.6.
    "post-copy that never comes": of(
        "2Gi",
        {**SLOW, "allowPostCopy": True, "allowWorkloadDisruption": False},
        rate=5_242_880,
        allowed=450,
        duration=410,
        finishes=True,
        largest=3000,
    ),
    # 1.4 has no allowWorkloadDisruption: post-copy comes.
    "the same in 1.4": of(
        "2Gi",
        {**SLOW, "allowPostCopy": True, "allowWorkloadDisruption": False},
        rate=5_242_880,
        allowed=FOREVER,
        duration=410,
        finishes=True,
        largest=None,
        release="1.4",
    ),
    # -1 s x 2 GB = -2 s: over before it begins.
    "a negative timeout": of(
        "1Gi",
        {"bandwidthPerMigration": "64Mi", "completionTimeoutPerGiB": -1},
        rate=67_108_864,
        allowed=-2,
        duration=16,
        finishes=False,
        largest=0,
    ),
    # 10 Gbit/s = 1,250,000,000 bytes/s, shared by 2 that may leave a node: 625,000,000. 64Gi: 69 GB, 10,350 s.
    # 68,719,476,736 / 625,000,000 = 109.95.
    "a link of 10 Gbit/s for two": of(
        "64Gi",
        {},
        rate=625_000_000,
        allowed=10_350,
        duration=110,
        finishes=True,
        largest=None,
        link=10 * GIGABIT,
    ),
    # 1 Gbit/s = 125,000,000, shared by 5: 25,000,000, less than 64Mi. 4Gi: 5 GB x 30 s = 150 s. 171.8 s.
    # 30 x 25,000,000 = 750,000,000 a GB; 10^9 / 250,000,000 = 4, and 4 GB would need just a little more: 3 GB begun,
    # 2,250,000,000 bytes = 2145.8 Mi.
    "a link of 1 Gbit/s for five": of(
        "4Gi",
        {
            "bandwidthPerMigration": "64Mi",
            "parallelOutboundMigrationsPerNode": 5,
            "completionTimeoutPerGiB": 30,
        },
        rate=25_000_000,
        allowed=150,
        duration=172,
        finishes=False,
        largest=2145,
        link=GIGABIT,
    ),
    # The cluster's limit of 1 leaves the whole link to one: 4,294,967,296 / 125,000,000 = 34.4.
    "a link of 1 Gbit/s for one": of(
        "4Gi",
        {"parallelMigrationsPerCluster": 1, "completionTimeoutPerGiB": 30},
        rate=125_000_000,
        allowed=150,
        duration=35,
        finishes=True,
        largest=None,
        link=GIGABIT,
    ),
    # 2Gi + 3Gi = 5,368,709,120, 6 GB: 900 s. 5120 / 64 = 80 s.
    "3Gi written to a container disk": of(
        "2Gi",
        {"bandwidthPerMigration": "64Mi"},
        rate=67_108_864,
        allowed=900,
        duration=80,
        finishes=True,
        largest=None,
        overlay="3Gi",
    ),
    # Added first, rounded then: 1.3 + 1.3 = 2.6 GB, 3 GB: 450 s; rounded first it would be 2 + 2. 2,600,000,000 bytes are
    # 2479.6 Mi; / 64 = 38.7.
    "1300M beside 1300M": of(
        "1300M",
        {"bandwidthPerMigration": "64Mi"},
        rate=67_108_864,
        allowed=450,
        duration=39,
        finishes=True,
        largest=None,
        overlay="1300M",
    ),
    # An emptyDisk is carried and brings no time: 1Gi counts as 2 GB, 300 s. (1024 + 20,480) / 64 = 336 s.
    "20Gi written to an empty disk": of(
        "1Gi",
        {"bandwidthPerMigration": "64Mi"},
        rate=67_108_864,
        allowed=300,
        duration=336,
        finishes=False,
        largest=None,
        empty_disk="20Gi",
    ),
    # 6Ti = 6,597,069,766,656, 6598 GB: 989,700 s. 6,291,456 Mi / 1024 = 6144 s.
    "6Ti": of(
        "6Ti",
        {"bandwidthPerMigration": "1Gi"},
        rate=1_073_741_824,
        allowed=989_700,
        duration=6144,
        finishes=True,
        largest=None,
    ),
    # A plain number is bytes: 5,242,880 is 5Mi.
    "plain bytes": of(
        "1073741824",
        {"bandwidthPerMigration": 5_242_880},
        rate=5_242_880,
        allowed=300,
        duration=205,
        finishes=True,
        largest=3000,
    ),
}


def bytes_of(text: str) -> int:
    quantity = parse_quantity(text)
    assert quantity is not None
    return quantity.value


@pytest.mark.parametrize("row", TABLE_OF_20.values(), ids=TABLE_OF_20)
def test_a_budget_equals_the_value_computed_by_hand(row: Worked) -> None:
    """
    Rate, time allowed, best case, answer and largest size are those of the working in the comments.
    """
    [behaviour] = [entry for entry in TABLE if str(entry.release) == row.release]
    counted = bytes_of(row.memory) + bytes_of(row.overlay)
    uncounted = bytes_of(row.empty_disk)

    budget = budget_of(in_force(row.settings, behaviour), row.link)

    largest = budget.largest()
    assert (
        budget.rate(),
        budget.allowed(counted),
        budget.duration(counted + uncounted),
        budget.finishes(counted, uncounted),
        None if largest is None else largest // MIB,
    ) == (row.rate, row.allowed, row.duration, row.finishes, row.largest)


def test_the_table_has_twenty_rows() -> None:
    """
    Twenty settings and sizes at least, with unlimited bandwidth, sharing, local disks and rounding among them.
    """
    assert len(TABLE_OF_20) >= 20
    assert {row.rate == 0 for row in TABLE_OF_20.values()} == {True, False}
    assert any(row.link for row in TABLE_OF_20.values())
