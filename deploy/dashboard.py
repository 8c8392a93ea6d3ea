"""The Grafana dashboard of the webhook, generated from a table of panels."""

from typing import Final

from deploy.panels import Panel, graph, number, rendered

UP: Final = 'up{job="migratable-replicas"}'
SECONDS: Final = "rate(migratable_review_seconds_bucket[$__rate_interval])"

PANELS: Final = (
    number("Replicas that respond", "At least two are recommended.", f"count({UP} == 1)", width=6),
    number(
        "Certificate expires in",
        "Renewal is due when a third of the lifetime is left.",
        "min(migratable_certificate_not_after_seconds) - time()",
        width=6,
        unit="s",
    ),
    number(
        "Denied, last day",
        "Requests that were denied.",
        'sum(increase(migratable_reviews_total{outcome="denied"}[1d]))',
        width=6,
    ),
    number(
        "Not checked, last day",
        "Requests that API servers admitted without a response from Migratable.",
        'sum(increase(apiserver_admission_webhook_fail_open_count{name=~".+[.]migratable"}[1d])) or vector(0)',
        width=6,
    ),
    graph(
        "Reviews by outcome",
        "Reviews per second.",
        "sum by (door, outcome) (rate(migratable_reviews_total[$__rate_interval]))",
        "{{door}} {{outcome}}",
        unit="reqps",
    ),
    Panel(
        "Duration of reviews",
        "From the first byte of the request to the response.",
        tuple(
            (f"histogram_quantile({quantile}, sum by (le) ({SECONDS}))", f"p{quantile * 100:g}")
            for quantile in (0.5, 0.95, 0.99)
        ),
        unit="s",
    ),
    graph(
        "Findings by rule and action",
        "In the last hour.",
        "topk(15, sum by (rule, action) (increase(migratable_findings_total[1h])))",
        "{{rule}} {{action}}",
    ),
    graph(
        "Would have been denied",
        "Admitted findings that the strict policy denies.",
        "sum by (rule) (increase(migratable_would_have_been_denied_total[1h]))",
        "{{rule}}",
    ),
    graph(
        "Reviews by kind and operation",
        "Reviews per second.",
        "sum by (kind, operation) (rate(migratable_reviews_total[$__rate_interval]))",
        "{{operation}} {{kind}}",
        unit="reqps",
    ),
    graph(
        "Age of the cache",
        "Time since the last list, event or bookmark of each kind. Normally at most 90 seconds.",
        "max by (kind) (migratable_cluster_age_seconds)",
        "{{kind}}",
        unit="s",
    ),
    graph("Objects in the cache", "By kind, in one replica.", "max by (kind) (migratable_cluster_objects)", "{{kind}}"),
    graph(
        "Duration of live reads",
        "95th percentile. A denial that depends on other objects is confirmed by a live read.",
        "histogram_quantile(0.95, sum by (le, ended) (rate(migratable_live_read_seconds_bucket[$__rate_interval])))",
        "{{ended}}",
        unit="s",
    ),
    graph(
        "Connections refused",
        "Closed or not accepted, by listener and reason.",
        "sum by (listener, reason) (rate(migratable_connections_refused_total[$__rate_interval]))",
        "{{listener}} {{reason}}",
        unit="cps",
    ),
)


def dashboard() -> str:
    """The dashboard as JSON for Grafana."""
    return rendered("migratable", "Migratable", PANELS)
