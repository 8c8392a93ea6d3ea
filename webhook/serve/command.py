"""``migratable serve``."""

from pathlib import Path

import click

from webhook.errors import WebhookError
from webhook.serve.options import Options
from webhook.serve.server import run
from webhook.surfaces.cli.status import fail


@click.command("serve")
@click.option(
    "--host", default="127.0.0.1", show_default=True, envvar="MIGRATABLE_HOST", help="IP address to listen on."
)
@click.option(
    "--admission-port",
    default=9443,
    show_default=True,
    envvar="MIGRATABLE_ADMISSION_PORT",
    help="Port of the admission webhook (HTTPS). 0: the server has no admission webhook.",
)
@click.option(
    "--api-port",
    default=8443,
    show_default=True,
    envvar="MIGRATABLE_API_PORT",
    help="Port of the dry-run API and the page (HTTPS).",
)
@click.option(
    "--health-port",
    default=8080,
    show_default=True,
    envvar="MIGRATABLE_HEALTH_PORT",
    help="Port of /livez, /readyz and /metrics (HTTP).",
)
@click.option(
    "--cert-dir",
    type=click.Path(path_type=Path),
    default=Path("dev/certs"),
    show_default=True,
    envvar="MIGRATABLE_CERT_DIR",
    help="Folder with tls.crt and tls.key.",
)
@click.option(
    "--client-ca",
    type=click.Path(exists=True, path_type=Path),
    envvar="MIGRATABLE_CLIENT_CA",
    help="CA bundle that verifies the API server's client certificate. Default: any client may connect to the admission port.",
)
@click.option(
    "--client-name",
    "client_names",
    multiple=True,
    default=("kube-apiserver",),
    show_default=True,
    envvar="MIGRATABLE_CLIENT_NAMES",
    help="Common name or DNS name that the client certificate must contain. Repeatable.",
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
@click.option(
    "--policy",
    "policy_file",
    type=click.Path(path_type=Path),
    envvar="MIGRATABLE_POLICY",
    help="Policy file. Default: the built-in policy.",
)
@click.option(
    "--release",
    default="",
    help="KubeVirt release, e.g. 1.6. Default: the release in the status of the KubeVirt CR, otherwise any release.",
)
@click.option(
    "--facts",
    multiple=True,
    metavar="PATH",
    help="Serve without a cluster: read referenced objects from these manifests. Repeatable.",
)
@click.option(
    "--kubeconfig", type=click.Path(exists=True, path_type=Path), help="Kubeconfig of the cluster to read objects from."
)
@click.option("--context", "context", default=None, help="Context of the kubeconfig.")
@click.option("--in-cluster", is_flag=True, help="Read objects from the cluster that the pod runs in.")
@click.option(
    "--fleet",
    multiple=True,
    metavar="PATH",
    help="Add pages for operators under /fleet: a folder, a file or a snapshot with the objects of a cluster. Repeatable.",
)
@click.option(
    "--fleet-from-cluster",
    is_flag=True,
    help="Add pages for operators under /fleet for the cluster of --in-cluster or --kubeconfig. A caller sees what the "
    "bearer token's user may list.",
)
@click.option("--drain-seconds", default=10.0, show_default=True, help="Seconds to keep serving after SIGTERM.")
def command(**options: object) -> None:
    """Run the server: admission webhook, health and metrics, dry-run API and page."""
    try:
        run(Options(**options))  # type: ignore[arg-type]  # click gives each option its type
    except WebhookError as error:
        fail(error)
