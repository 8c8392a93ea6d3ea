"""``python -m certs dev | check | rotate``: certificates for one machine, a look at some, and those of a cluster."""

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

from certs import dev
from certs.authority import AUTHORITY_LIFETIME, LEAF_LIFETIME, canonical_names, service_names
from certs.check import check
from certs.cluster import ClusterError, ConfigurationName
from certs.lease import LEASE_DURATION, Duty
from certs.plan import BUNDLE_SETTLE, LEAF_SETTLE, Terms
from certs.replicas import DnsReplicas
from certs.rotator import INTERVAL, Rotator, Settings, rotate

GOOD, BAD, TROUBLE = 0, 1, 2
"""Exit status: nothing to complain of; something is wrong with a certificate; usage, unreadable input or no answer."""

_UNITS: Final = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1), "s": timedelta(seconds=1)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; results go to stdout, all else to stderr."""
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
    """Read a span of time as Kubernetes writes it (``168h``, ``1h30m``, ``10s``), with ``d`` for 24 hours besides."""
    parts = re.findall(r"(\d+(?:\.\d+)?)([dhms])", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no duration; write it like 168h, 1h30m or 10s")
    try:
        return sum((float(number) * _UNITS[unit] for number, unit in parts), timedelta())
    except OverflowError:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is too long a duration") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m certs", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="dev | check | rotate")
    _add_dev(commands.add_parser("dev", help="make or renew certificates for this machine"))
    _add_check(commands.add_parser("check", help="tell what is good or bad about certificates in files"))
    _add_rotate(commands.add_parser("rotate", help="look after the certificates of a webhook in a cluster"))
    return parser


def _add_dev(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--folder", type=Path, default=dev.FOLDER, help="default: %(default)s")
    parser.add_argument("--name", action="append", default=[], help="a further DNS name or address to serve")
    parser.set_defaults(run=_dev)


def _dev(options: argparse.Namespace) -> int:
    files = dev.ensure(options.folder, datetime.now(UTC), options.name)
    sys.stderr.write(f"made anew: {', '.join(files.made)}\n" if files.made else "all is good and was left alone\n")
    for path in (files.authority, files.authority_key, files.certificate, files.key):
        sys.stdout.write(f"{path}\n")
    return GOOD


def _add_check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", type=Path, metavar="FOLDER|FILE")
    parser.add_argument("--name", action="append", help="a name it must serve; all of them must be given")
    parser.add_argument("--ca", action="append", default=[], type=Path, metavar="FILE", help="trust these authorities")
    parser.set_defaults(run=_check)


def _check(options: argparse.Namespace) -> int:
    names = None if options.name is None else canonical_names(options.name)
    status = GOOD
    for finding in check(options.paths, datetime.now(UTC), names, options.ca):
        sys.stdout.write(f"{finding}\n")
        status = status if finding.is_good else BAD
    return status


def _add_rotate(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "Each option may also come from the environment: CERTS_NAMESPACE for --namespace; lists by commas."

    def one(flag: str, explanation: str, default: str | None = None) -> None:
        value = os.environ.get(_variable(flag)) or default
        parser.add_argument(flag, default=value, required=value is None, help=explanation)

    def several(flag: str, explanation: str) -> None:
        values = os.environ.get(_variable(flag), "").split(",")
        parser.add_argument(flag, action=_Several, default=tuple(filter(None, values)), help=explanation)

    def span(flag: str, explanation: str, default: timedelta) -> None:
        value = os.environ.get(_variable(flag)) or _spell(default)
        parser.add_argument(flag, type=duration, default=value, help=f"{explanation} (default: %(default)s)")

    one("--namespace", "where the Secrets are")
    one("--authority-secret", "the Secret of the authority, which no other pod reads")
    one("--serving-secret", "the Secret that the serving pods mount")
    several("--service", "a Service of that namespace whose DNS name is served")
    several("--dns-name", "a further DNS name to serve")
    several("--validating", "a ValidatingWebhookConfiguration whose caBundle is looked after")
    several("--mutating", "a MutatingWebhookConfiguration whose caBundle is looked after")
    span("--authority-lifetime", "life of the authority", AUTHORITY_LIFETIME)
    span("--leaf-lifetime", "life of the serving certificate", LEAF_LIFETIME)
    span("--bundle-settle", "time until every API server has seen a caBundle", BUNDLE_SETTLE)
    span("--leaf-settle", "time until every replica serves a new certificate", LEAF_SETTLE)
    span("--interval", "time between looks", INTERVAL)
    parser.add_argument("--kubeconfig", default=os.environ.get("CERTS_KUBECONFIG"), help="default: the pod's account")
    several("--replicas", "HOST:PORT of the servers, asked what they serve before an authority is retired")
    one("--lease", "a Lease, by which one of several rotators does the work", "")
    span("--lease-duration", "time after which a Lease that is not renewed is taken over", LEASE_DURATION)
    parser.add_argument("--once", action="store_true", help="do what can be done now, and end")
    parser.set_defaults(run=_rotate)


class _Several(argparse.Action):
    """Collect the values of a repeated option in place of the default, where ``append`` would add to it."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        given = getattr(namespace, self.dest)
        setattr(namespace, self.dest, (values,) if given is self.default else (*given, values))


def _spell(span: timedelta) -> str:
    """Write a span as :func:`duration` reads it, in the largest unit that fits."""
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
    from certs.apiserver import connect  # noqa: PLC0415 - the client takes 300 ms to import; dev and check do without

    settings = _settings(options)
    replicas = _replicas(options.replicas, settings.terms.names[0])
    cluster = connect(options.namespace, options.kubeconfig)
    _log_as_json()
    rotator = Rotator(cluster, settings, cluster.clock, replicas)
    if options.once:
        rotator.round()
        return GOOD
    holder = f"{socket.gethostname()}_{uuid.uuid4()}"
    duty = Duty(cluster, options.lease, holder, cluster.clock, options.lease_duration) if options.lease else None
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    rotate(rotator, settings.interval, stop, duty)
    return GOOD


def _replicas(places: tuple[str, ...], server_name: str) -> DnsReplicas | None:
    return DnsReplicas(map(_place, places), server_name) if places else None


def _place(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not re.fullmatch("[0-9]{1,5}", port) or not 0 < int(port) < 65536:
        raise ValueError(f"--replicas is {text[:80]!r}; write HOST:PORT, like migratable-replicas.migratable.svc:9443")
    return host.strip("[]"), int(port)


def _log_as_json() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    logger = logging.getLogger("certs")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False


class _JsonLines(logging.Formatter):
    """One JSON object a line; JSON's own escapes keep control characters out of the terminal."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"time": at, "level": record.levelname.lower(), "logger": record.name, "message": record.getMessage()}
        return json.dumps(line)


if __name__ == "__main__":
    sys.exit(main())
