"""Metrics. Labels have a fixed set of values."""

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import product
from operator import attrgetter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, disable_created_metrics

from webhook.policy.exemptions import ExpiryState, by_state
from webhook.policy.policy import Lowered, Policy
from webhook.rules.register import RULES
from webhook.serve.cache_metrics import CacheCollector, Statistics
from webhook.serve.tls import Certificates
from webhook.surfaces.admission.hooks import MUTATING_HOOKS, VALIDATING_HOOKS

BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
ADDED_TOGETHER = 64
"""The number of reviews that are added to the series at once."""
OPERATIONS = frozenset({"CREATE", "UPDATE", "DELETE", "CONNECT"})
DOORS = (
    ("validate", VALIDATING_HOOKS, ("allowed", "denied", "internal")),
    ("mutate", MUTATING_HOOKS, ("allowed", "patched", "internal")),
)


class _Registry(CollectorRegistry):
    """A registry that first adds what was counted since the last scrape."""

    def __init__(self, add: Callable[[], None]) -> None:
        super().__init__()
        self._add = add

    def collect(self) -> Iterator[Metric]:
        """Yields the metrics."""
        self._add()
        yield from super().collect()


class Metrics:
    """The Prometheus metrics of one process."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call] # the creation time of a series has no use
        self.registry = _Registry(self._add_reviews)
        self._unadded: list[tuple[str, str, str, str, float]] = []
        """Reviews that are not in the series yet. The locks and buckets of a series cost as much as a rule."""
        self._make_review_metrics()
        self._make_server_metrics()
        # cached, because the lookup of a series by its labels takes as long as a rule; the number of series is finite
        self._review, self._second = cache(self._reviews.labels), cache(self._seconds.labels)
        self._finding = cache(self._findings.labels)
        self._live_read = cache(self._live_read_seconds.labels)
        self._begin_at_zero()

    def _make_review_metrics(self) -> None:
        self._reviews = Counter(
            "migratable_reviews",
            "Admission reviews, by door (webhook type: validate or mutate), kind, operation and outcome.",
            ["door", "kind", "operation", "outcome"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "migratable_review_seconds",
            "Seconds from the first byte of an admission review to its response.",
            ["door"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._findings = Counter(
            "migratable_findings",
            "Findings in admission reviews, by rule, kind and enforcement action.",
            ["rule", "kind", "action"],
            registry=self.registry,
        )
        self._would_deny = Counter(
            "migratable_would_have_been_denied",
            "Admitted findings that the built-in strict policy would deny, by rule.",
            ["rule"],
            registry=self.registry,
        )
        self._lowered = Counter(
            "migratable_lowered_denials",
            "Denials lowered to warn or audit, by rule and reason: KubeVirt's accounts, the HyperConverged operator, a "
            "volume migration, or an account in the policy file.",
            ["rule", "reason"],
            registry=self.registry,
        )
        self._live_read_seconds = Histogram(
            "migratable_live_read_seconds",
            "Seconds of live reads for an admission review, by result: same (the cache was current), other (it was "
            "not current), judged (the review was judged again).",
            ["ended"],
            buckets=BUCKETS,
            registry=self.registry,
        )

    def _make_server_metrics(self) -> None:
        self._refused = Counter(
            "migratable_connections_refused",
            "Connections closed or requests rejected, by listener and reason.",
            ["listener", "reason"],
            registry=self.registry,
        )
        self._not_before = Gauge(
            "migratable_certificate_not_before_seconds",
            "notBefore of the serving certificate (Unix time).",
            registry=self.registry,
        )
        self._not_after = Gauge(
            "migratable_certificate_not_after_seconds",
            "notAfter of the serving certificate (Unix time).",
            registry=self.registry,
        )
        self._stale = Gauge(
            "migratable_certificate_stale",
            "1 if the serving certificate is overdue for renewal, or if the files on disk cannot be served.",
            registry=self.registry,
        )
        self.exemptions = Gauge(
            "migratable_exemptions",
            "Exemptions and accounts in the active policy, by state: active, lapsing (expires within 14 days), lapsed.",
            ["state"],
            registry=self.registry,
        )
        self.policy_failures = Counter(
            "migratable_policy_reload_failures",
            "Failed reloads of the policy file, which is checked once a second.",
            registry=self.registry,
        )

    def _begin_at_zero(self) -> None:
        """
        Create the series for alerts and graphs in advance, because Prometheus does not count the first increase of a new
        series.
        """
        for rule_id in (rule.id for rule in RULES):
            self._would_deny.labels(rule_id)
        for door, hooks, outcomes in DOORS:
            for rule in (rule for hook in hooks for rule in hook.rules):
                for operation, outcome in product(rule.operations, outcomes):
                    self._review(door, rule.kind.kind, operation, outcome)

    def reviewed(self, door: str, kind: str, operation: str, outcome: str, seconds: float) -> None:
        """Count one review. Call this method on the event loop only."""
        self._unadded.append((door, kind, operation, outcome, seconds))
        if len(self._unadded) >= ADDED_TOGETHER:
            self._add_reviews()

    def _add_reviews(self) -> None:
        added, self._unadded = self._unadded, []
        counts = Tally(
            (door, kind, operation if operation in OPERATIONS else "other", outcome)
            for door, kind, operation, outcome, _ in added
        )
        for labels, count in counts.items():
            self._review(*labels).inc(count)
        for door, *_, seconds in added:
            self._second(door).observe(seconds)

    def found(self, rule: str, kind: str, action: str) -> None:
        """Count one finding."""
        self._finding(rule, kind, action).inc()

    def would_deny(self, rule: str) -> None:
        """Count one finding that a stricter policy would deny."""
        self._would_deny.labels(rule).inc()

    def lowered(self, rule: str, reason: Lowered) -> None:
        """Count one lowered denial, for example for an account in the policy file."""
        self._lowered.labels(rule, reason.value).inc()

    def observe_live_reads(self, ended: str, seconds: float) -> None:
        """Count the live reads for one review."""
        self._live_read(ended).observe(seconds)

    def follow(self, statistics: Statistics) -> None:
        """Export the state of the cluster cache at each scrape."""
        self.registry.register(CacheCollector(statistics))

    def exempted(self, policy: Policy, today: str) -> None:
        """Export the number of active, expiring and expired exemptions and accounts."""
        entries = by_state(policy, today)
        for state in ExpiryState:
            self.exemptions.labels(state).set(len(entries[state]))

    def certified(self, followed: Iterable[Certificates]) -> None:
        """Export the dates of the certificate that expires first, and whether any certificate is stale."""
        followed = list(followed)
        ending = min((certificate.leaf for certificate in followed), key=attrgetter("not_after"))
        self._not_before.set(ending.not_before.timestamp())
        self._not_after.set(ending.not_after.timestamp())
        self._stale.set(any(certificate.is_stale for certificate in followed))

    def refused(self, listener: str, reason: str) -> None:
        """Count one refused connection."""
        self._refused.labels(listener, reason).inc()
