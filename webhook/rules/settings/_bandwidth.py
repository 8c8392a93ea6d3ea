"""What can be wrong with a bandwidth, for the KubeVirt CR and for MigrationPolicies alike. Not a rule itself."""

from collections.abc import Mapping

from webhook.kubevirt.quantity import NANO, Quantity
from webhook.kubevirt.settings.budget import MIB
from webhook.kubevirt.settings.settings import BANDWIDTH, bandwidth_of
from webhook.objects.meta import Json
from webhook.objects.shown import shown

INT64 = 2**63
DECIMAL = "kMGTPE"
SMALL = frozenset("num")


def quantity_problem(values: Mapping[str, Json]) -> str | None:
    """What the API server or KubeVirt would refuse."""
    if BANDWIDTH not in values:
        return None
    value, bandwidth = shown(values[BANDWIDTH]), bandwidth_of(values)
    if bandwidth is None:
        return f"{BANDWIDTH} {value} is not a Kubernetes quantity"
    if bandwidth.nano < 0:
        return f"{BANDWIDTH} {value} is negative: every migration fails"
    if bandwidth.nano >= INT64 * NANO:
        return f"{BANDWIDTH} {value} is more than KubeVirt can count"
    return None


def unit_problem(values: Mapping[str, Json]) -> tuple[str, str] | None:
    """A bandwidth below 1Mi that was surely meant in another unit: message and remedy."""
    bandwidth = _below_one_mebibyte(values)
    if bandwidth is None or bandwidth.suffix not in SMALL | {""}:
        return None
    number = str(values[BANDWIDTH]).removesuffix(bandwidth.suffix)
    what = "thousandths, millionths or billionths of bytes" if bandwidth.suffix else "bytes"
    made = (
        "KubeVirt raises it to 1Mi"
        if bandwidth.floor
        else "it is less than one byte, which KubeVirt takes for no limit"
    )
    return (
        f"{BANDWIDTH} {shown(values[BANDWIDTH])} is counted in {what} per second; {made}",
        f"Write {number}Mi if you mean {number} MiB per second, or 0 for no limit.",
    )


def raised_problem(values: Mapping[str, Json]) -> str | None:
    """A bandwidth below 1Mi, in a unit that was probably meant."""
    bandwidth = _below_one_mebibyte(values)
    if bandwidth is None or bandwidth.suffix in SMALL | {""}:
        return None
    return f"{BANDWIDTH} {shown(values[BANDWIDTH])} is less than 1Mi per second; KubeVirt raises it to 1Mi"


def decimal_problem(values: Mapping[str, Json]) -> tuple[str, str] | None:
    """A decimal suffix where KubeVirt counts in MiB: message and remedy."""
    bandwidth = bandwidth_of(values)
    if bandwidth is None or bandwidth.nano < MIB * NANO or not bandwidth.suffix or bandwidth.suffix not in DECIMAL:
        return None
    hundredths = bandwidth.floor * 100 // MIB
    return (
        f"{BANDWIDTH} {shown(values[BANDWIDTH])} is a decimal unit: {hundredths // 100}.{hundredths % 100:02} MiB per second",
        f"Write {values[BANDWIDTH]!s}i if you mean the binary unit that KubeVirt counts in.",
    )


def _below_one_mebibyte(values: Mapping[str, Json]) -> Quantity | None:
    bandwidth = bandwidth_of(values)
    return bandwidth if bandwidth is not None and 0 < bandwidth.nano < MIB * NANO else None
