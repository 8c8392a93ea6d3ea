"""The metrics of the cluster cache."""

from prometheus_client import CollectorRegistry, generate_latest

from webhook.cluster.store import KindStatistics
from webhook.serve.cache_metrics import CacheCollector
from webhook.serve.metrics import Metrics

CLAIMS = KindStatistics(
    "PersistentVolumeClaim", 100_000, 2, True, False, 12.5, 1, 3, "the API server returned HTTP 429"
)
VOLUMES = KindStatistics("DataVolume", 0, 0, False, True, None, 0, 0, "")


def lines(metrics: Metrics) -> list[str]:
    text = generate_latest(metrics.registry).decode()
    return [line for line in text.splitlines() if line.startswith("migratable_cluster")]


def test_each_kind_has_a_series_with_current_values() -> None:
    """
    Size, age and failures are labelled by kind, never by the text of a problem. A kind that was never listed has no
    age.
    """
    now = [CLAIMS, VOLUMES]
    metrics = Metrics()
    metrics.follow(lambda: now)

    first = lines(metrics)
    now[:] = [VOLUMES]
    second = lines(metrics)

    assert first == [
        'migratable_cluster_objects{kind="PersistentVolumeClaim"} 100000.0',
        'migratable_cluster_objects{kind="DataVolume"} 0.0',
        'migratable_cluster_unreadable_objects{kind="PersistentVolumeClaim"} 2.0',
        'migratable_cluster_unreadable_objects{kind="DataVolume"} 0.0',
        'migratable_cluster_age_seconds{kind="PersistentVolumeClaim"} 12.5',
        'migratable_cluster_synced{kind="PersistentVolumeClaim"} 1.0',
        'migratable_cluster_synced{kind="DataVolume"} 0.0',
        'migratable_cluster_missing{kind="PersistentVolumeClaim"} 0.0',
        'migratable_cluster_missing{kind="DataVolume"} 1.0',
        'migratable_cluster_failing{kind="PersistentVolumeClaim"} 1.0',
        'migratable_cluster_failing{kind="DataVolume"} 0.0',
        'migratable_cluster_lists_total{kind="PersistentVolumeClaim"} 1.0',
        'migratable_cluster_lists_total{kind="DataVolume"} 0.0',
        'migratable_cluster_watches_total{kind="PersistentVolumeClaim"} 3.0',
        'migratable_cluster_watches_total{kind="DataVolume"} 0.0',
    ]
    assert second == [line for line in first if "DataVolume" in line]


def test_another_program_has_another_prefix() -> None:
    """
    The alerts of the server do not fire for the cache of an audit.
    """
    registry = CollectorRegistry()
    registry.register(CacheCollector(lambda: [CLAIMS], "migratable_audit_cluster"))

    names = {line.partition("{")[0] for line in generate_latest(registry).decode().splitlines() if line[0] != "#"}

    assert "migratable_audit_cluster_failing" in names
    assert not any(name.startswith("migratable_cluster") for name in names)
