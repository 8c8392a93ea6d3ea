"""Metrics of the cluster cache, collected at each scrape. The only label is the watched kind."""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from webhook.cluster.store import KindStatistics

Statistics = Callable[[], Iterable[KindStatistics]]
Value = Callable[[KindStatistics], float | None]

_GAUGES: tuple[tuple[str, str, Value], ...] = (
    ("objects", "Objects in the cache.", lambda kind: kind.objects),
    (
        "unreadable_objects",
        "Cached objects with a field of the wrong type.",
        lambda kind: kind.undecodable,
    ),
    (
        "age_seconds",
        "Seconds since the last list, event or bookmark; no value before the first list.",
        lambda kind: kind.age_seconds,
    ),
    ("synced", "1 after the first complete list.", lambda kind: kind.synced),
    ("missing", "1 if the cluster does not serve the kind.", lambda kind: kind.missing),
    (
        "failing",
        "1 if the last list or watch failed; the log contains the reason.",
        lambda kind: bool(kind.problem),
    ),
)
_COUNTERS: tuple[tuple[str, str, Value], ...] = (
    ("lists", "Complete lists since the start.", lambda kind: kind.lists),
    ("watches", "Watches opened since the start.", lambda kind: kind.restarts),
)


class CacheCollector(Collector):
    """
    Collects ``migratable_cluster_*`` from ``statistics``.

    Another program than the server has another prefix, because the alerts and graphs of the server take all series of a name.
    """

    def __init__(self, statistics: Statistics, prefix: str = "migratable_cluster") -> None:
        self._statistics = statistics
        self._prefix = prefix

    def describe(self) -> Iterable[Metric]:
        """Returns no metric, so that registration does not collect values."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yields all metrics, each with one series for each kind."""
        now = tuple(self._statistics())
        for families, kind_of_metric in ((_GAUGES, GaugeMetricFamily), (_COUNTERS, CounterMetricFamily)):
            for name, text, value in families:
                family = kind_of_metric(f"{self._prefix}_{name}", text, labels=["kind"])
                for kind in now:
                    if (number := value(kind)) is not None:
                        family.add_metric([kind.kind], number)
                yield family
