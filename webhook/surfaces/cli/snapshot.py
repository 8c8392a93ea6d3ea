"""``migratable snapshot``."""

import sys
from os import environ
from pathlib import Path

import click

from webhook.cluster.live_reads import LiveReads
from webhook.cluster.messages import forbidden
from webhook.errors import BadInput, Unavailable, WebhookError
from webhook.facts.unknown import Fact, Unknown
from webhook.manifests.snapshot import ALWAYS, CLAIMS, NODES, refuse_larger, render
from webhook.objects.kinds import BY_CLASS
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.meta import Kubernetes
from webhook.surfaces.cli.status import fail


@click.command("snapshot")
@click.option("-o", "--output", metavar="FILE", help="File to write. Default: standard output.")
@click.option("-n", "--namespace", default="", help="Save only the objects of this namespace. Default: all namespaces.")
@click.option("--claims", is_flag=True, help="Also save PersistentVolumeClaims and DataVolumes; there may be many.")
@click.option("--nodes", is_flag=True, help="Also save the names and labels of nodes.")
@click.option(
    "--kubeconfig",
    type=click.Path(path_type=Path),
    help="Default: $KUBECONFIG, ~/.kube/config, or the service account of the pod.",
)
@click.option("--context", default=None, help="Context of the kubeconfig.")
@click.option(
    "--timeout", default=60.0, show_default=True, metavar="SECONDS", help="Time limit for all reads together."
)
def command(
    output: str | None,
    namespace: str,
    claims: bool,
    nodes: bool,
    kubeconfig: Path | None,
    context: str | None,
    timeout: float,
) -> None:
    """
    Save the cluster objects that `check --snapshot` needs.

    The snapshot contains KubeVirt's release and configuration, MigrationPolicies, StorageClasses and StorageProfiles,
    DataSources, NetworkAttachmentDefinitions, instancetypes and preferences. It has only the fields that rules read, and
    no secrets.
    """
    kinds = [*ALWAYS, *(CLAIMS if claims else ()), *(NODES if nodes else ())]
    try:
        found = _read(kinds, namespace, kubeconfig or _kubeconfig(), context, timeout)
        text = render(found, whole=not namespace)
        refuse_larger(len(text.encode()), output or "of this cluster")
        if output is None:
            click.echo(text, nl=False)
        else:
            _write(Path(output), text)
    except WebhookError as error:
        fail(error)
    for kind, given in found.items():
        if isinstance(given, Unknown):
            click.echo(f"note: the snapshot has no {kind.__name__}: {given.why}", err=True)
    if output is not None:
        count = sum(len(given) for given in found.values() if not isinstance(given, Unknown))
        click.echo(f"note: wrote {count} objects to {output}", err=True)
    sys.exit(0)


def _kubeconfig() -> Path | None:
    """As kubectl looks for it; None inside a pod."""
    if named := environ.get("KUBECONFIG"):
        return Path(named)
    usual = Path.home() / ".kube" / "config"
    return usual if usual.is_file() or "KUBERNETES_SERVICE_HOST" not in environ else None


def _read(
    kinds: list[type[Kubernetes]], namespace: str, kubeconfig: Path | None, context: str | None, timeout: float
) -> dict[type[Kubernetes], Fact[tuple[Kubernetes, ...]]]:
    """Each kind, or why it could not be read; raises Unavailable where the cluster does not answer."""
    from time import monotonic

    from webhook.cluster.kubernetes_client import connect

    transport = connect(kubeconfig, context)
    until = monotonic() + timeout
    try:
        live = LiveReads(transport, lambda _kind: "")
        found: dict[type[Kubernetes], Fact[tuple[Kubernetes, ...]]] = {}
        for kind in kinds:
            space = "" if kind is KubeVirt else namespace
            found[kind] = live.confirm_every(kind, until - monotonic(), space)
    finally:
        transport.close()
    cr = found[KubeVirt]
    if isinstance(cr, Unknown) and cr != forbidden(BY_CLASS[KubeVirt]):
        raise Unavailable(cr.why, remedy="Check the kubeconfig and the network, then try again.")
    return found


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(
            f"cannot write {path}: {error.strerror}", remedy="Name a file in a folder that exists."
        ) from None
