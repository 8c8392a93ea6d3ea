"""``migratable snapshot``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from webhook.cluster.live_reads import LiveReads, path_of
from webhook.cluster.messages import forbidden
from webhook.errors import BadInput, Misconfigured, Unavailable, WebhookError
from webhook.facts.objects_world import ONE_IN_A_CLUSTER
from webhook.facts.unknown import Fact, Unknown
from webhook.manifests.snapshot import ALWAYS, CLAIMS, NODES, refuse_larger, render
from webhook.objects.fleet_kinds import DRAIN_KINDS
from webhook.objects.hyper_converged import HyperConverged
from webhook.objects.kinds import BY_CLASS
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.meta import Kubernetes
from webhook.surfaces.cli.connecting import CONTEXT, KUBECONFIG, TIMEOUT, connected
from webhook.surfaces.cli.fleets import fleet_of_cluster
from webhook.surfaces.cli.status import fail

if TYPE_CHECKING:
    from webhook.cluster.ports import Transport


@click.command("snapshot")
@click.option("-o", "--output", metavar="FILE", help="File to write. Default: standard output.")
@click.option("-n", "--namespace", default="", help="Save only the objects of this namespace. Default: all namespaces.")
@click.option(
    "--claims",
    is_flag=True,
    help="Also save PersistentVolumeClaims, PersistentVolumes and DataVolumes; there may be many.",
)
@click.option("--nodes", is_flag=True, help="Also save the names and labels of nodes.")
@click.option(
    "--drain", is_flag=True, help="Save the objects that `drain --snapshot` needs: nodes, pods, VMIs and more."
)
@KUBECONFIG
@CONTEXT
@TIMEOUT
def command(
    output: str | None,
    namespace: str,
    claims: bool,
    nodes: bool,
    drain: bool,
    kubeconfig: Path | None,
    context: str | None,
    timeout: float,
) -> None:
    """
    Save the cluster objects that `check --snapshot` needs.

    The snapshot contains KubeVirt's release and configuration, the HyperConverged CR, MigrationPolicies, StorageClasses and
    StorageProfiles, DataSources, NetworkAttachmentDefinitions, instancetypes and preferences. With --drain, for
    `drain --snapshot`, it also contains nodes, pods, VMs, VMIs, migrations, claims, volumes, quotas and budgets. The
    snapshot has only the fields that rules and rehearsals read, and no secrets.
    """
    if drain and namespace:
        raise click.UsageError("Write either --drain or --namespace: a drain concerns all namespaces.")
    kinds = [*ALWAYS, *(CLAIMS if claims else ()), *(NODES if nodes else ())]
    try:
        if drain:
            text, count = _of_drain(kubeconfig, context, timeout)
        else:
            text, count = _of_rules(kinds, namespace, kubeconfig, context, timeout)
        refuse_larger(len(text.encode()), output or "of this cluster")
        if output is None:
            click.echo(text, nl=False)
        else:
            _write(Path(output), text)
            click.echo(f"note: wrote {count} objects to {output}", err=True)
    except WebhookError as error:
        fail(error)
    sys.exit(0)


def _of_drain(kubeconfig: Path | None, context: str | None, timeout: float) -> tuple[str, int]:
    """The snapshot for `drain`, and the number of its objects."""
    from webhook.manifests.fleet_snapshot import render_fleet

    fleet = fleet_of_cluster("snapshot", kubeconfig, context, timeout)
    return render_fleet(fleet), sum(len(fleet.given(kind.reads)) for kind in DRAIN_KINDS)


def _of_rules(
    kinds: list[type[Kubernetes]], namespace: str, kubeconfig: Path | None, context: str | None, timeout: float
) -> tuple[str, int]:
    """The snapshot for `check`, and the number of its objects. Notes name the kinds that cannot be read."""
    objects = _read(kinds, namespace, kubeconfig, context, timeout)
    for kind, listed in objects.items():
        if (
            isinstance(listed, Unknown) and kind is not HyperConverged
        ):  # few clusters have one, and the KubeVirt CR decides
            click.echo(f"note: the snapshot has no {kind.__name__}: {listed.why}", err=True)
    count = sum(len(listed) for listed in objects.values() if not isinstance(listed, Unknown))
    return render(objects, whole=not namespace), count


def _read(
    kinds: list[type[Kubernetes]], namespace: str, kubeconfig: Path | None, context: str | None, timeout: float
) -> dict[type[Kubernetes], Fact[tuple[Kubernetes, ...]]]:
    """
    The objects of each kind, or why the kind cannot be read. Raises WebhookError if the cluster cannot be read or does not
    serve KubeVirt.
    """
    from time import monotonic

    transport, cluster = connected("snapshot", kubeconfig, context)
    deadline = monotonic() + timeout
    try:
        _refuse_cluster_without_kubevirt(transport, cluster, timeout)
        live = LiveReads(transport, lambda _kind: "")
        objects: dict[type[Kubernetes], Fact[tuple[Kubernetes, ...]]] = {}
        for kind in kinds:
            space = "" if kind in ONE_IN_A_CLUSTER else namespace
            objects[kind] = live.confirm_every(kind, deadline - monotonic(), space)
    finally:
        transport.close()
    cr = objects[KubeVirt]
    if isinstance(cr, Unknown) and cr != forbidden(BY_CLASS[KubeVirt]):
        raise Unavailable(f"{cluster}: {cr.why}", remedy="Check the kubeconfig and the network, then try again.")
    if cr == ():
        raise Misconfigured(
            f"{cluster} has no KubeVirt CR: KubeVirt is not deployed, so its release and settings are unknown",
            remedy="Name the context of a cluster with KubeVirt: --context NAME.",
        )
    if all(isinstance(listed, Unknown) for listed in objects.values()):
        raise Misconfigured(
            f"nothing could be read from {cluster}: Migratable is not allowed to read any kind",
            remedy="Grant the account the verbs get and list, or name another account with --context.",
        )
    return objects


def _refuse_cluster_without_kubevirt(transport: "Transport", cluster: str, timeout: float) -> None:
    """Raises Unavailable if the API server does not answer, and Misconfigured if it does not serve KubeVirt's kind."""
    kubevirt = BY_CLASS[KubeVirt]
    try:
        statuses = {
            transport.get(path_of(kubevirt, version), {"limit": "1"}, timeout_seconds=timeout).status
            for version in kubevirt.versions
        }
    except Unavailable as error:
        raise Unavailable(
            f"{cluster}: {error.message}", remedy="Check `server` in the kubeconfig and the network, then try again."
        ) from error
    if statuses == {401}:
        raise Misconfigured(
            f"{cluster} does not accept the credentials (HTTP 401)", remedy="Log in again, or name another --context."
        )
    if statuses == {404}:
        raise Misconfigured(
            f"{cluster} does not serve {kubevirt.plural}.{kubevirt.group}: KubeVirt is not installed",
            remedy="Name the context of a cluster with KubeVirt: --context NAME.",
        )


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(
            f"cannot write {path}: {error.strerror}", remedy="Name a file in a folder that exists."
        ) from None
