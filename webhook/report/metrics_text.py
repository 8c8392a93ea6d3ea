"""
The text format of Prometheus, version 0.0.4. This file does no I/O.

The command line writes metrics with the bare package, so this module does not need prometheus_client.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_IN_LABEL: Final = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})
_IN_HELP: Final = str.maketrans({"\\": r"\\", "\n": r"\n"})


class Family(msgspec.Struct, frozen=True):
    """A metric with its series. Each key of ``series`` has one value for each name in ``labels``."""

    name: str
    text: str
    """The measured quantity, as a sentence."""
    labels: tuple[str, ...]
    series: Mapping[tuple[str, ...], float]
    type: str = "gauge"
    """``gauge`` or ``counter``. The name of a counter ends with ``_total``."""


def single(name: str, text: str, value: float, type: str = "gauge") -> Family:  # noqa: A002 # as in the format
    """A metric without labels."""
    return Family(name, text, (), {(): value}, type)


def render(families: Iterable[Family]) -> str:
    """The metrics as text. A metric without series produces no output."""
    return "".join(line for family in families if family.series for line in _lines(family))


def _lines(family: Family) -> Iterator[str]:
    yield f"# HELP {family.name} {family.text.translate(_IN_HELP)}\n"
    yield f"# TYPE {family.name} {family.type}\n"
    for values, number in sorted(family.series.items()):
        pairs = ",".join(
            f'{label}="{value.translate(_IN_LABEL)}"' for label, value in zip(family.labels, values, strict=True)
        )
        yield f"{family.name}{{{pairs}}} {number!r}\n" if pairs else f"{family.name} {number!r}\n"
