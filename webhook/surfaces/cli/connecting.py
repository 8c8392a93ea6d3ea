"""Connects to the cluster of a kubeconfig, for the commands that read a running cluster."""

from os import environ
from pathlib import Path
from typing import TYPE_CHECKING

import click

from webhook.surfaces.cli.extras import fail_missing, missing_package
from webhook.surfaces.cli.status import write_stderr

if TYPE_CHECKING:
    from webhook.cluster.ports import Transport
    from webhook.cluster.writing_client import KubernetesWriter

KUBECONFIG = click.option(
    "--kubeconfig",
    type=click.Path(path_type=Path),
    help="Default: $KUBECONFIG, ~/.kube/config, or the service account of the pod.",
)
CONTEXT = click.option("--context", default=None, help="Context of the kubeconfig.")
TIMEOUT = click.option(
    "--timeout", default=60.0, show_default=True, metavar="SECONDS", help="Time limit for all reads together."
)


def connected(
    command: str, kubeconfig: Path | None, context: str | None, *, quiet: bool = False
) -> "tuple[Transport, str]":
    """
    A connection to the cluster, and its name in messages. Exits with status 2 if packages of the extra are missing. Without
    ``quiet``, a note names the cluster.

    Raises Misconfigured if there are no usable credentials.
    """
    path, cluster = _place(command, kubeconfig, context)
    if not quiet:
        write_stderr(f"note: reading from {cluster}")
    try:
        from webhook.cluster.kubernetes_client import connect
    except ModuleNotFoundError as error:
        if not (package := missing_package(error)):
            raise
        fail_missing(command, package)
    return connect(path, context), cluster


def connected_writer(command: str, kubeconfig: Path | None, context: str | None) -> "KubernetesWriter":
    """A connection that can change the cluster, as ``connected`` makes one that cannot."""
    path, _ = _place(command, kubeconfig, context)
    try:
        from webhook.cluster.writing_client import connect_writer
    except ModuleNotFoundError as error:
        if not (package := missing_package(error)):
            raise
        fail_missing(command, package)
    return connect_writer(path, context)


def cluster_name(command: str, kubeconfig: Path | None, context: str | None) -> str:
    """The name of a cluster in messages."""
    return _place(command, kubeconfig, context)[1]


def _place(command: str, kubeconfig: Path | None, context: str | None) -> tuple[Path | None, str]:
    """The kubeconfig, and the name of its cluster in messages."""
    from importlib.util import find_spec

    from webhook.cluster.kubeconfig import target

    if find_spec("kubernetes") is None:
        fail_missing(command, "kubernetes")
    path = kubeconfig or _default_kubeconfig()
    return path, "the API server of this pod" if path is None else str(target(path, context))


def _default_kubeconfig() -> Path | None:
    """The kubeconfig that kubectl uses. Inside a pod, the result is None."""
    if configured := environ.get("KUBECONFIG"):
        return Path(configured)
    default = _home() / ".kube" / "config"
    return default if default.is_file() or "KUBERNETES_SERVICE_HOST" not in environ else None


def _home() -> Path:
    """The home folder. A user ID without HOME and without an entry in /etc/passwd has `/`, as in container runtimes."""
    try:
        return Path.home()
    except RuntimeError:
        return Path("/")
