"""
The VMs that all generators write: of every twenty, five violate one of the five checks (``benchmarks.contestants``) each.

No two VMs have a name, an address, a size or a claim in common.
"""

from collections.abc import Mapping

from tests.apiserver.clusters.shape import CHECKS

NAMESPACES = 50
EVERY = 20
"""How many VMs there are to one that violates a given check."""


def name_of(number: int) -> str:
    """The name of a VM."""
    return f"vm-{number:05}"


def namespace_of(number: int) -> str:
    """The namespace of a VM."""
    return f"tenant-{number % NAMESPACES:02}"


def violates(number: int) -> str:
    """The check that a VM violates; empty for a good one."""
    at = number % EVERY
    return CHECKS[at // 4] if at % 4 == 0 else ""


def values(number: int, devices: Mapping[str, str]) -> dict[str, object]:
    """The values of a VM for the placeholders of a template. ``devices`` has the lines that violate a check."""
    wrong = violates(number)
    return {
        "number": number,
        "name": name_of(number),
        "namespace": namespace_of(number),
        "team": f"team-{number % 17}",
        "cores": 1 + number % 8,
        "memory": 2 * (1 + number % 8),
        "devices": devices.get(wrong, ""),
        "binding": "bridge" if wrong == "bridge" else "masquerade",
        "port": 49152 if wrong == "port" else 8080,
        "key": f"{number:042}",
        "mode": "ReadWriteOnce" if wrong == "claim" else "ReadWriteMany",
        "size": 10 + number % 90,
    }
