"""
The VMs of a cluster: which of them are bad, which run, and how they differ.

Names, namespaces and numbers have a fixed width, so that the stored form of one VM becomes that of another by replacing bytes.
"""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

CHECKS = ("bridge", "port", "filesystems", "host devices", "claim")
"""The five checks of the mission. A bad VM violates one of them."""
STYLES = ("plain", "network", "instancetype", "data volume")


@dataclass(frozen=True, slots=True)
class Variant:
    """VMs of one variant differ in their names only."""

    violates: str = ""
    """One of ``CHECKS``, or empty."""
    is_running: bool = True
    style: str = "plain"


@dataclass(frozen=True)
class Shape:
    """A cluster. The same shape always has the same VMs."""

    vms: int
    namespaces: int = 50
    failing: float = 0.2
    """The share of VMs that violate a check. The number of these VMs is exact."""
    running: float = 0.8
    """The probability that a VM runs."""
    seed: int = 17
    styles: tuple[str, ...] = STYLES

    @cached_property
    def variants(self) -> tuple[Variant, ...]:
        """The variant of each VM."""
        chance = random.Random(self.seed)
        bad = set(chance.sample(range(self.vms), round(self.vms * self.failing)))
        return tuple(
            Variant(
                chance.choice(CHECKS) if number in bad else "",
                chance.random() < self.running,
                chance.choice(self.styles),
            )
            for number in range(self.vms)
        )

    @cached_property
    def _spaces(self) -> tuple[int, ...]:
        chance = random.Random(self.seed + 1)
        return tuple(chance.randrange(self.namespaces) for _ in range(self.vms))

    def namespace(self, number: int) -> str:
        """The namespace of a VM."""
        return namespace_name(self._spaces[number])

    def bad(self) -> Iterator[int]:
        """The numbers of the VMs that violate a check."""
        return (number for number, variant in enumerate(self.variants) if variant.violates)

    def count(self) -> Counter[str]:
        """The number of VMs by the check that they violate."""
        return Counter(variant.violates for variant in self.variants)


def machine_name(number: int) -> str:
    """The name of a VM, of its VMI and of its PVC."""
    return f"vm-{number:06}"


def namespace_name(number: int) -> str:
    """The name of a tenant's namespace."""
    return f"tenant-{number:04}"


def mac_part(number: int) -> str:
    """The end of the MAC address of a VM."""
    digits = f"{number:06}"
    return f"{digits[:2]}:{digits[2:4]}:{digits[4:]}"
