"""Exact amounts of resources: whole numbers of billionths, as in ``resource.Quantity`` of Kubernetes."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from webhook.objects.meta import Quantity
from webhook.objects.quantity import NANO, parse_quantity

KILO: Final = 1000
MIB: Final = 1 << 20
Amounts = dict[str, int]
"""Amounts in billionths, by resource."""


@lru_cache(maxsize=4096)
def nano(written: Quantity) -> int:
    """A quantity in billionths. A quantity that Kubernetes cannot read counts as 0, because the API server refuses it."""
    quantity = parse_quantity(written)
    return quantity.nano if quantity is not None else 0


def amounts(written: Mapping[str, Quantity] | None) -> Amounts:
    """The amounts of a list of resources."""
    return {name: nano(quantity) for name, quantity in (written or {}).items()}


def whole(amount: int, unit: int = 1) -> int:
    """An amount in whole units, rounded up as ``Quantity.ScaledValue()`` rounds."""
    return -(-amount // (NANO * unit))


def written(amount: int) -> str:
    """An amount as a quantity."""
    if amount % NANO == 0:
        return str(amount // NANO)
    return f"{amount // (NANO // 1000)}m" if amount % (NANO // 1000) == 0 else f"{amount}n"


def all_written(resources: Amounts) -> dict[str, Quantity]:
    """A list of resources as quantities."""
    return {name: written(amount) for name, amount in resources.items()}
