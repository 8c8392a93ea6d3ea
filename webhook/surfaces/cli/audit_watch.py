"""The options of ``audit --watch``. The program that watches is registered, because this package must not import servers."""

import sys
from collections.abc import Callable, Mapping
from os import environ
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click
from click.core import ParameterSource

from webhook.audit.scope import Scope
from webhook.errors import WebhookError
from webhook.manifests.policy_file import parse_policy, read_policy
from webhook.surfaces.cli.configuration import LoadedConfig
from webhook.surfaces.cli.connecting import connected, connected_writer
from webhook.surfaces.cli.extras import fail_missing, missing_package
from webhook.surfaces.cli.run_audit import AuditOptions
from webhook.surfaces.cli.settings import Flags, combine
from webhook.surfaces.cli.shards import shard_from
from webhook.surfaces.cli.status import UsageMistake, fail

if TYPE_CHECKING:
    from webhook.audit.watching.options import WatchOptions

OF_WATCH = ("host", "port", "lease", "drain_minutes")
"""The options that have an effect only with ``--watch``."""
_CLUSTER = ("namespaces", "all_namespaces", "shard", "kubeconfig", "context")
_USED = frozenset((*OF_WATCH, *_CLUSTER, "watch", "policy", "profile", "release", "reports", "writes_per_second"))
"""The options that have an effect with ``--watch``."""
_OPTIONS = (
    click.option(
        "--watch", is_flag=True, help="Watch the cluster, and keep reports and metrics current, until SIGTERM."
    ),
    click.option(
        "--host", default="127.0.0.1", show_default=True, help="With --watch: IP address of the listener for metrics."
    ),
    click.option(
        "--port",
        type=click.IntRange(1, 65535),
        default=8080,
        show_default=True,
        help="With --watch: port of /livez, /readyz and /metrics (HTTP).",
    ),
    click.option(
        "--lease",
        metavar="NAMESPACE/NAME",
        help="With --watch: the Lease by which one of several processes is chosen to write reports.",
    ),
    click.option(
        "--drain-minutes",
        type=click.FloatRange(0, 1440),
        default=10.0,
        show_default=True,
        help="With --watch: interval between rehearsals of the drain of each node, for metrics. 0: no rehearsals.",
    ),
)
_registered: "list[Callable[[WatchOptions], None]]" = []


def register_watch(run: "Callable[[WatchOptions], None]") -> None:
    """Registers the function that watches a cluster. It returns at SIGTERM, and raises WebhookError."""
    _registered[:] = [run]


def watch_options(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the options to a command. Their values are keyword arguments of it."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def refuse_idle_options(*, watch: bool) -> None:
    """Raises UsageMistake for an option without effect: an output with ``--watch``, or a listener without it."""
    context = click.get_current_context()
    for option in context.command.params:
        name = option.name or ""
        is_idle = name not in _USED if watch else name in OF_WATCH
        if is_idle and context.get_parameter_source(name) is ParameterSource.COMMANDLINE and context.params[name]:
            why = "--watch prints no report" if watch else "it needs --watch"
            raise UsageMistake(f"{option.opts[-1]} has no effect: {why}. Remove it.")


def watch_cluster(options: AuditOptions, listening: Mapping[str, Any]) -> NoReturn:
    """
    Watches a cluster. ``listening`` has the values of ``OF_WATCH``.

    Exits with status 0 after SIGTERM, and with 2 after an error. Raises UsageMistake for contradictory options.
    """
    from webhook.audit.watching.options import WatchOptions
    from webhook.cluster.leases import parse_lease

    if options.namespaces and options.all_namespaces:
        raise UsageMistake("Write either --namespace or --all-namespaces.")
    flags = Flags(policy=options.policy, profile=options.profile, release=options.release)
    cluster = (options.kubeconfig, options.context)
    try:
        lease = parse_lease(listening["lease"]) if listening["lease"] is not None else None
        scope = Scope(tuple(sorted(set(options.namespaces))), shard_from(options.shard, environ))
        release = combine(flags, LoadedConfig(), read_policy).release
        reader, _ = connected("audit", *cluster, quiet=True)
        _registered[0](
            WatchOptions(
                reader,
                connected_writer("audit", *cluster) if options.reports != "none" else None,
                scope,
                lambda content: combine(flags, LoadedConfig(), lambda file: parse_policy(content, str(file))).policy,
                Path(options.policy) if options.policy is not None else None,
                release,
                options.reports,
                options.writes_per_second,
                lease,
                listening["host"],
                listening["port"],
                listening["drain_minutes"],
                [f"--{name}={value}" for name, value in zip(("kubeconfig", "context"), cluster, strict=True) if value],
            )
        )
    except ModuleNotFoundError as error:
        if not (package := missing_package(error)):
            raise
        fail_missing("audit --watch", package)
    except WebhookError as error:
        fail(error)
    sys.exit(0)
