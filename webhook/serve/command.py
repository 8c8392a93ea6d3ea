"""``migratable serve``."""

from pathlib import Path

import click

from webhook.errors import WebhookError
from webhook.serve.options import Options
from webhook.serve.server import run
from webhook.surfaces.cli.status import fail


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, envvar="MIGRATABLE_HOST")
@click.option("--admission-port", default=9443, show_default=True, envvar="MIGRATABLE_ADMISSION_PORT")
@click.option("--api-port", default=8443, show_default=True, envvar="MIGRATABLE_API_PORT")
@click.option("--health-port", default=8080, show_default=True, envvar="MIGRATABLE_HEALTH_PORT")
@click.option("--cert-dir", type=click.Path(path_type=Path), default=Path("dev/certs"), envvar="MIGRATABLE_CERT_DIR")
@click.option(
    "--client-ca",
    type=click.Path(exists=True, path_type=Path),
    envvar="MIGRATABLE_CLIENT_CA",
    help="CA of the API server's client certificate; without it anybody may call the admission port.",
)
@click.option(
    "--client-name",
    "client_names",
    multiple=True,
    default=("kube-apiserver",),
    show_default=True,
    envvar="MIGRATABLE_CLIENT_NAMES",
    help="Common or DNS name that this certificate must bear; repeatable.",
)
@click.option(
    "--allowed-host",
    "allowed_hosts",
    multiple=True,
    metavar="NAME",
    envvar="MIGRATABLE_ALLOWED_HOSTS",
    help="Host name to accept in the Host header, in addition to localhost, IP addresses and the names of the certificate. "
    "Repeatable.",
)
@click.option("--policy", "policy_file", type=click.Path(path_type=Path), envvar="MIGRATABLE_POLICY")
@click.option("--release", default="", help="KubeVirt release; else what the KubeVirt CR says, else any.")
@click.option("--facts", multiple=True, metavar="PATH", help="Work without a cluster: look references up in manifests.")
@click.option("--kubeconfig", type=click.Path(exists=True, path_type=Path), help="Cluster to read facts from.")
@click.option("--context", "context", default=None, help="Context of the kubeconfig.")
@click.option("--in-cluster", is_flag=True, help="Read facts from the cluster that the pod runs in.")
@click.option("--drain-seconds", default=10.0, show_default=True, help="How long to serve on after SIGTERM.")
def command(**options: object) -> None:
    """Serve admission, health and metrics, dry-run API and page."""
    try:
        run(Options(**options))  # type: ignore[arg-type]  # click gives each option its type
    except WebhookError as error:
        fail(error)
