"""Checks of a bandwidth, for the KubeVirt CR and for MigrationPolicies. Not a rule."""

from collections.abc import Iterator, Mapping

from webhook.kubevirt.settings.budget import MIB
from webhook.kubevirt.settings.settings import BANDWIDTH, bandwidth_of
from webhook.objects.meta import Json
from webhook.objects.path import FieldPath
from webhook.objects.quantity import NANO, Quantity
from webhook.objects.shown import shown
from webhook.rules.rule import Violation
from webhook.rules.settings._setting import at

INT64 = 2**63
DECIMAL = "kMGTPE"
PARTS = {"m": "thousandths", "u": "millionths", "n": "billionths"}


def refused_bandwidth(base: FieldPath, values: Mapping[str, Json]) -> Iterator[Violation]:
    """A violation for a bandwidth that the API server or KubeVirt refuses."""
    if BANDWIDTH not in values:
        return
    bandwidth = bandwidth_of(values)
    if bandwidth is None:
        problem = "is not a Kubernetes quantity"
    elif bandwidth.nano < 0:
        problem = "is negative, so every migration fails"
    elif bandwidth.nano >= INT64 * NANO:
        problem = "does not fit in 64 bits"
    else:
        return
    yield at(base, BANDWIDTH, values[BANDWIDTH], f"{BANDWIDTH} {shown(values[BANDWIDTH])} {problem}")


def bandwidth_without_unit(base: FieldPath, values: Mapping[str, Json]) -> Iterator[Violation]:
    """
    A violation for a bandwidth below 1Mi that is written in bytes or parts of bytes. Such a bandwidth is hardly ever intended.
    """
    bandwidth = _below_one_mebibyte(values)
    if bandwidth is None or (bandwidth.suffix and bandwidth.suffix not in PARTS):
        return
    number = str(values[BANDWIDTH]).removesuffix(bandwidth.suffix)
    if bandwidth.suffix:
        meaning = f"means {PARTS[bandwidth.suffix]} of a byte per second"
    else:
        meaning = "has no unit and means bytes per second"
    effect = "KubeVirt raises it to 1Mi" if bandwidth.floor else "KubeVirt treats less than one byte as no limit"
    yield at(
        base,
        BANDWIDTH,
        values[BANDWIDTH],
        f"{BANDWIDTH} {shown(values[BANDWIDTH])} {meaning}; {effect}",
        f"Write {number}Mi if you mean {number} MiB per second, or 0 for no limit.",
    )


def raised_bandwidth(base: FieldPath, values: Mapping[str, Json]) -> Iterator[Violation]:
    """A violation for a bandwidth below 1Mi that has a unit. KubeVirt raises such a bandwidth to 1Mi."""
    bandwidth = _below_one_mebibyte(values)
    if bandwidth is not None and bandwidth.suffix and bandwidth.suffix not in PARTS:
        value = values[BANDWIDTH]
        message = f"{BANDWIDTH} {shown(value)} is less than 1Mi per second, so KubeVirt raises it to 1Mi"
        yield at(base, BANDWIDTH, value, message)


def decimal_bandwidth(base: FieldPath, values: Mapping[str, Json]) -> Iterator[Violation]:
    """A violation for a decimal suffix, because KubeVirt counts in MiB."""
    bandwidth = bandwidth_of(values)
    if bandwidth is None or bandwidth.nano < MIB * NANO or not bandwidth.suffix or bandwidth.suffix not in DECIMAL:
        return
    hundredths = bandwidth.floor * 100 // MIB
    mebibytes = f"{hundredths // 100}.{hundredths % 100:02}"
    yield at(
        base,
        BANDWIDTH,
        values[BANDWIDTH],
        f"{BANDWIDTH} {shown(values[BANDWIDTH])} has a decimal unit and means {mebibytes} MiB per second",
        f"Write {values[BANDWIDTH]!s}i if you mean the binary unit, in which KubeVirt counts.",
    )


def _below_one_mebibyte(values: Mapping[str, Json]) -> Quantity | None:
    bandwidth = bandwidth_of(values)
    return bandwidth if bandwidth is not None and 0 < bandwidth.nano < MIB * NANO else None
