"""
``python -m certs dev | check | rotate``: creates local certificates, checks certificate files, rotates the certificates of a
cluster.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import re
import signal
import socket
import sys
import threading
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

try:
    from certs import dev
    from certs.authority import AUTHORITY_LIFETIME, LEAF_LIFETIME, canonical_names, service_names
    from certs.check import check
    from certs.cluster import ClusterError, ConfigurationName
    from certs.lease import LEASE_DURATION, LeaderElection
    from certs.plan import BUNDLE_SETTLE, LEAF_SETTLE, Terms
    from certs.replicas import DnsReplicas
    from certs.rotator import INTERVAL, Rotator, Settings, rotate
except ModuleNotFoundError as error:
    if error.name is None or error.name.partition(".")[0] == "certs":
        raise
    sys.stderr.write(
        f"python -m certs needs Python packages that are not installed: {error.name} and others. "
        "Run `pip install 'kubevirt-migratable[server]'`, or `pip install '.[server]'` in a checkout.\n"
    )
    sys.exit(2)

GOOD, BAD, TROUBLE = 0, 1, 2
"""Exit status: 0 all good, 1 an invalid certificate, 2 wrong usage, unreadable input or an API server error."""

_UNITS: Final = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1), "s": timedelta(seconds=1)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status. Writes results to stdout and all other output to stderr."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        status: int = options.run(options)
    except ValueError as error:
        parser.error(str(error))
    except (OSError, ClusterError) as error:
        sys.stderr.write(f"{parser.prog}: {error}\n")
        return TROUBLE
    return status


def duration(text: str) -> timedelta:
    """Parses a duration as in Kubernetes (``168h``, ``1h30m``, ``10s``). ``d`` means 24 hours."""
    parts = re.findall(r"(\d+(?:\.\d+)?)([dhms])", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise argparse.ArgumentTypeError(f"invalid duration {text[:40]!r}; use a format like 168h, 1h30m or 10s")
    try:
        return sum((float(number) * _UNITS[unit] for number, unit in parts), timedelta())
    except OverflowError:
        raise argparse.ArgumentTypeError(f"duration {text[:40]!r} is too long") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m certs", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="dev | check | rotate")
    _add_dev(commands.add_parser("dev", help="create or renew certificates for this machine"))
    _add_check(commands.add_parser("check", help="check certificates in files"))
    _add_rotate(commands.add_parser("rotate", help="issue and rotate the certificates of a webhook in a cluster"))
    return parser


def _add_dev(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--folder", type=Path, default=dev.FOLDER, help="default: %(default)s")
    parser.add_argument("--name", action="append", default=[], help="an additional DNS name or IP address; repeatable")
    parser.set_defaults(run=_dev)


def _dev(options: argparse.Namespace) -> int:
    files = dev.ensure(options.folder, datetime.now(UTC), options.name)
    sys.stderr.write(
        f"created: {', '.join(files.made)}\n" if files.made else "all certificates are valid; nothing changed\n"
    )
    for path in (files.authority, files.authority_key, files.certificate, files.key):
        sys.stdout.write(f"{path}\n")
    return GOOD


def _add_check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", type=Path, metavar="FOLDER|FILE")
    parser.add_argument(
        "--name", action="append", help="a name that the certificate must contain; repeat it for all names"
    )
    parser.add_argument(
        "--ca", action="append", default=[], type=Path, metavar="FILE", help="trust the CAs in this file"
    )
    parser.set_defaults(run=_check)


def _check(options: argparse.Namespace) -> int:
    names = None if options.name is None else canonical_names(options.name)
    status = GOOD
    for finding in check(options.paths, datetime.now(UTC), names, options.ca):
        sys.stdout.write(f"{finding}\n")
        status = status if finding.is_good else BAD
    return status


def _add_rotate(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "Each option can also be an environment variable, for example CERTS_NAMESPACE. Separate lists with commas."
    )

    def single(flag: str, explanation: str, default: str | None = None) -> None:
        value = os.environ.get(_variable(flag)) or default
        parser.add_argument(flag, default=value, required=value is None, help=explanation)

    def multiple(flag: str, explanation: str) -> None:
        values = os.environ.get(_variable(flag), "").split(",")
        parser.add_argument(flag, action=_Multiple, default=tuple(filter(None, values)), help=explanation)

    def span(flag: str, explanation: str, default: timedelta) -> None:
        value = os.environ.get(_variable(flag)) or _format(default)
        parser.add_argument(flag, type=duration, default=value, help=f"{explanation} (default: %(default)s)")

    single("--namespace", "the namespace of the Secrets")
    single("--authority-secret", "the Secret with the CA and its key; no other pod reads it")
    single("--serving-secret", "the Secret with the serving certificate; the serving pods mount it")
    multiple("--service", "a Service in that namespace; the certificate contains its DNS name")
    multiple("--dns-name", "an additional DNS name for the certificate")
    multiple("--validating", "a ValidatingWebhookConfiguration whose caBundle is updated")
    multiple("--mutating", "a MutatingWebhookConfiguration whose caBundle is updated")
    span("--authority-lifetime", "lifetime of the CA", AUTHORITY_LIFETIME)
    span("--leaf-lifetime", "lifetime of the serving certificate", LEAF_LIFETIME)
    span("--bundle-settle", "time after which every API server uses a new caBundle", BUNDLE_SETTLE)
    span("--leaf-settle", "time after which every replica serves a new certificate", LEAF_SETTLE)
    span("--interval", "time between two checks", INTERVAL)
    parser.add_argument(
        "--kubeconfig", default=os.environ.get("CERTS_KUBECONFIG"), help="default: the service account of the pod"
    )
    multiple("--replicas", "HOST:PORT of the servers; their certificates are checked before an old CA is removed")
    single("--lease", "a Lease that selects the active rotator", "")
    span("--lease-duration", "time after which another rotator takes over a Lease that is not renewed", LEASE_DURATION)
    parser.add_argument("--once", action="store_true", help="do all steps that are possible now, then exit")
    parser.set_defaults(run=_rotate)


class _Multiple(argparse.Action):
    """Collects the values of a repeated option. Unlike the action ``append``, this action replaces the default."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        current = getattr(namespace, self.dest)
        setattr(namespace, self.dest, (values,) if current is self.default else (*current, values))


def _format(span: timedelta) -> str:
    """Formats a duration for :func:`duration`, in the largest unit that divides it."""
    unit, length = next((unit, length) for unit, length in _UNITS.items() if not span % length)
    return f"{span // length}{unit}"


def _variable(flag: str) -> str:
    return "CERTS_" + flag[2:].upper().replace("-", "_")


def _settings(options: argparse.Namespace) -> Settings:
    services = [name for service in options.service for name in service_names(service, options.namespace)]
    terms = Terms(
        names=canonical_names((*services, *options.dns_name)),
        authority_lifetime=options.authority_lifetime,
        leaf_lifetime=options.leaf_lifetime,
        bundle_settle=options.bundle_settle,
        leaf_settle=options.leaf_settle,
    )
    configurations = (
        *(ConfigurationName("validatingwebhookconfigurations", name) for name in options.validating),
        *(ConfigurationName("mutatingwebhookconfigurations", name) for name in options.mutating),
    )
    return Settings(terms, options.authority_secret, options.serving_secret, configurations, options.interval)


def _rotate(options: argparse.Namespace) -> int:
    from certs.apiserver import connect  # noqa: PLC0415 - importing the client takes 300 ms; dev and check do not need it

    settings = _settings(options)
    replicas = _replicas(options.replicas, settings.terms.names[0])
    cluster = connect(options.namespace, options.kubeconfig)
    _log_as_json()
    rotator = Rotator(cluster, settings, cluster.clock, replicas)
    if options.once:
        rotator.round()
        return GOOD
    holder = f"{socket.gethostname()}_{uuid.uuid4()}"
    election = (
        LeaderElection(cluster, options.lease, holder, cluster.clock, options.lease_duration) if options.lease else None
    )
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    rotate(rotator, settings.interval, stop, election)
    return GOOD


def _replicas(places: tuple[str, ...], server_name: str) -> DnsReplicas | None:
    return DnsReplicas(map(_place, places), server_name) if places else None


def _place(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not re.fullmatch("[0-9]{1,5}", port) or not 0 < int(port) < 65536:
        raise ValueError(
            f"invalid value {text[:80]!r} of --replicas; use HOST:PORT, like migratable-replicas.migratable.svc:9443"
        )
    return host.strip("[]"), int(port)


def _log_as_json() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    logger = logging.getLogger("certs")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False


class _JsonLines(logging.Formatter):
    """Formats each record as a JSON object on one line. JSON escapes the control characters in it."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"time": at, "level": record.levelname.lower(), "logger": record.name, "message": record.getMessage()}
        return json.dumps(line)


if __name__ == "__main__":
    sys.exit(main())
