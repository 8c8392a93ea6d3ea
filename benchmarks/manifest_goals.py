"""The goals of `migratable check` beside other checkers, for one generator and one number of VMs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from benchmarks.contestants.checking import GATOR, KUBECONFORM, KYVERNO, OPA, OURS
from benchmarks.figures import Figure

CPU_TO_KUBECONFORM = {100: 1.2, 1_000: 0.8, 10_000: 0.7}
WALL_SIZES = (1_000, 10_000)
OPA_FROM = 100
AT_A_THOUSAND = {GATOR: 4.0, KYVERNO: 10.0}
PEAK_MIB = 200


@dataclass(frozen=True, slots=True)
class Cost:
    """The medians of a checker, and its highest peak."""

    cpu: float
    wall: float
    peak: float


def goals(size: int, costs: Mapping[str, Cost]) -> Iterator[Figure]:
    """The figures that have a goal at this size. A checker that was not measured has none."""
    ours = costs[OURS]
    if size in CPU_TO_KUBECONFORM and (kubeconform := costs.get(KUBECONFORM)):
        most, ratio = CPU_TO_KUBECONFORM[size], ours.cpu / kubeconform.cpu
        yield Figure("CPU, of kubeconform's", f"{ratio:.2f}", f"at most {most}", ratio <= most)
    if size in WALL_SIZES and (kubeconform := costs.get(KUBECONFORM)):
        ratio = ours.wall / kubeconform.wall
        yield Figure("wall time, of kubeconform's", f"{ratio:.2f}", "below 1", ratio < 1)
    if size >= OPA_FROM and (opa := costs.get(OPA)):
        ratio = ours.cpu / opa.cpu
        yield Figure("CPU, of opa's", f"{ratio:.2f}", "below 1", ratio < 1)
    for name, least in AT_A_THOUSAND.items() if size == 1_000 else ():
        if other := costs.get(name):
            times = other.cpu / ours.cpu
            yield Figure(
                f"CPU, less than {name.partition(' ')[0]}'s", f"{times:.1f} times", f"{least:g} times", times >= least
            )
    yield Figure("peak memory", f"{ours.peak:.0f} MiB", f"at most {PEAK_MIB}", ours.peak <= PEAK_MIB)
