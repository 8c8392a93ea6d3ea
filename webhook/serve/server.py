"""Starts the server: options, facts, TLS, listeners, life cycle."""

import asyncio
import logging
import ssl
import sys
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache, partial

from webhook.manifests.objects import placed_in
from webhook.objects.fleet_kinds import prepare_decoding
from webhook.policy.exemptions import expiry_warnings
from webhook.processes.logs import log_to_stderr
from webhook.serve.active_configuration import ConfigurationSource
from webhook.serve.cluster_facts import ClusterSource
from webhook.serve.health import Health
from webhook.serve.hosts import KnownHosts, checked
from webhook.serve.limits import ConnectionLimiter, Limits, Loop
from webhook.serve.listeners import Draining, Listener, bind_all, serve_all
from webhook.serve.manifest_facts import ManifestSource
from webhook.serve.metrics import Metrics
from webhook.serve.options import Options
from webhook.serve.tls import Certificates
from webhook.serve.tracing import tracing
from webhook.surfaces.admission.endpoint import AdmissionApp
from webhook.surfaces.admission.requests import prepare_reviews
from webhook.surfaces.api.app import build_api
from webhook.surfaces.api.console.client import ConsoleProcess
from webhook.surfaces.api.console.messages import Start
from webhook.surfaces.api.judge_client import SeparateProcess

__all__ = ["Options", "run"]

log = logging.getLogger("migratable.serve")

POLICY_POLL_SECONDS = 1.0
SECONDS_A_DAY = 24 * 60 * 60
TURN_SECONDS = 0.001
"""
The interval at which Python switches threads. Its default of 5 ms would delay each step of a small review while a large one
is judged in a thread.
"""


def run(options: Options) -> None:
    """Serve until SIGTERM. Raises Misconfigured if the options or files are invalid."""
    log_to_stderr()
    prepare_decoding()
    prepare_reviews()
    sys.setswitchinterval(TURN_SECONDS)
    with asyncio.Runner(loop_factory=Loop) as loop:
        loop.run(_serve(options))


def today() -> str:
    """Returns today's date in UTC, for the expiry of exemptions and accounts."""
    return _date_of(int(time.time() // SECONDS_A_DAY))


@lru_cache(maxsize=1)  # because every review needs the date
def _date_of(day: int) -> str:
    return datetime.fromtimestamp(day * SECONDS_A_DAY, UTC).date().isoformat()


async def _serve(options: Options) -> None:
    options.check()
    metrics, draining = Metrics(), Draining()
    hosts = checked(options.allowed_hosts)
    facts = _facts(options, metrics)
    certificates = Certificates(options.cert_dir)
    admission_tls = Certificates(options.cert_dir, options.client_ca) if options.client_ca else certificates
    configurations = ConfigurationSource(options.policy_file, options.release, facts.cached, today)
    followed = {certificates, admission_tls}
    metrics.certified(followed)
    disclosure = facts.disclosure() if isinstance(facts, ClusterSource) else None
    admission = AdmissionApp(facts, configurations, metrics, time.monotonic, draining=draining, disclosure=disclosure)
    background = facts.objects if isinstance(facts, ManifestSource) else ()
    cluster = facts.attached() if isinstance(facts, ClusterSource) else None
    judge = SeparateProcess(placed_in(background))
    console = ConsoleProcess(_start_of(options)) if options.has_fleet else None
    api = build_api(configurations, background, options.release, cluster, judge, console)
    traced = tracing()
    health = Health(
        lambda: facts.ready and not draining(),
        metrics.registry,
        lambda: "shutting down" if draining() else facts.unread if isinstance(facts, ClusterSource) else "",
    )
    names = options.client_names if options.client_ca else ()

    def known(name: str, app: object) -> KnownHosts:
        return KnownHosts(app, lambda: (*certificates.leaf.names, *hosts), partial(metrics.refused, name))

    def listener(name: str, app: object, port: int, tls: ssl.SSLContext | None, names: Iterable[str] = ()) -> Listener:
        limiter = ConnectionLimiter(Limits(), time.monotonic, names, partial(metrics.refused, name))
        return Listener(name, app, options.host, port, limiter, tls)

    listeners = [
        listener("api", known("api", api), options.api_port, certificates.listening),
        listener("health", known("health", health), options.health_port, None),
    ]
    if options.admission_port:
        reviews = traced(admission)
        listeners.insert(0, listener("admission", reviews, options.admission_port, admission_tls.listening, names))
    following = [
        asyncio.create_task(certificate.follow(draining.began, partial(metrics.certified, followed)))
        for certificate in followed
    ]
    following.append(asyncio.create_task(_follow_policy(configurations, metrics, draining)))
    try:
        if console is not None:
            await console.start()
        bound = bind_all(listeners)
        _announce(options)
        await serve_all(listeners, bound, draining, options.drain_seconds)
    finally:
        draining.began.set()
        judge.stop()
        if console is not None:
            console.stop()
        await asyncio.gather(*following)
        if not isinstance(facts, ManifestSource):
            facts.stop()


def _facts(options: Options, metrics: Metrics) -> ManifestSource | ClusterSource:
    """The objects that reviews look up."""
    if not options.has_cluster:
        return ManifestSource(options.facts)
    facts = ClusterSource.reading(options.kubeconfig, options.context, metrics.observe_live_reads)
    metrics.follow(facts.statistics)
    return facts


def _start_of(options: Options) -> Start:
    """The first message to the process of the pages for operators."""
    return Start(
        options.fleet,
        str(options.kubeconfig or ""),
        options.context,
        str(options.policy_file or ""),
        options.release,
    )


async def _follow_policy(configurations: ConfigurationSource, metrics: Metrics, draining: Draining) -> None:
    expiring = _note_exemptions(metrics, configurations)
    while not draining():
        try:
            await asyncio.wait_for(draining.began.wait(), POLICY_POLL_SECONDS)
        except TimeoutError:
            # in a thread, because a hanging mount must not block the server
            await asyncio.to_thread(configurations.refresh)
            if configurations.policy_problem:
                metrics.policy_failures.inc()  # counted at each check, so that the alert stays active while the file is invalid
            expiring = _note_exemptions(metrics, configurations, expiring)


def _note_exemptions(
    metrics: Metrics, configurations: ConfigurationSource, reported: Sequence[str] = ()
) -> Sequence[str]:
    """Count exemptions and accounts, log expiring entries that are not in ``reported``, and return all expiring entries."""
    metrics.exempted(configurations.policy, today())
    expiring = expiry_warnings(configurations.policy, today())
    for line in expiring:
        if line not in reported:
            log.warning("policy entry expires", extra={"entry": line})
    return expiring


def _announce(options: Options) -> None:
    """Print the addresses and example commands to stdout."""
    api = f"https://localhost:{options.api_port}"
    lines = [f"page and dry-run API  {api}/"]
    if options.has_fleet:
        lines.append(f"pages for operators   {api}/fleet")
    if options.shows_fleet_to_all:
        log.warning(
            "the fleet pages have no sign-in: they show all objects to each caller that reaches the server",
            extra={"host": options.host, "remedy": "Set --host 127.0.0.1, or --fleet-from-cluster instead of --fleet."},
        )
    if options.admission_port:
        lines.append(f"admission             https://localhost:{options.admission_port}/validate")
    lines.append(f"health and metrics    http://localhost:{options.health_port}/readyz")
    if not options.has_cluster:
        lines += [
            "",
            "try:",
            (
                f"  curl --cacert {options.cert_dir}/ca.crt {api}/v1/check -H 'Content-Type: application/yaml' "
                "--data-binary @examples/vm-bridge.yaml"
            ),
            "  .venv/bin/migratable check examples/",
        ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
