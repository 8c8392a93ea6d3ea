"""Reads the objects from which a drain is rehearsed: from files or from a running cluster."""

from collections.abc import Sequence
from pathlib import Path

from webhook.errors import BadInput, Misconfigured, Unavailable
from webhook.facts.fleet import Fleet
from webhook.manifests.fleet_paths import read_paths
from webhook.objects.fleet_kinds import DRAIN_KINDS, ESSENTIAL, FLEET_BY_CLASS
from webhook.objects.kubevirt import KubeVirt
from webhook.report.building import problem_report
from webhook.surfaces.cli.connecting import connected
from webhook.surfaces.cli.status import write_problems, write_stderr


def fleet_of_files(paths: Sequence[str]) -> tuple[Fleet, bool]:
    """The objects in files, and whether all of them could be read."""
    read = read_paths(paths)
    write_problems(map(problem_report, read.problems))
    if read.ignored:
        counts = ", ".join(f"{count} {kind}" for kind, count in sorted(read.ignored.items()))
        write_stderr(f"note: objects that a rehearsal does not need: {counts}")
    if not read.objects and not read.complete:
        raise BadInput("the files have no object that a rehearsal reads", remedy="Provide nodes, pods and VMIs.")
    return read.fleet(), not read.problems


def fleet_of_cluster(command: str, kubeconfig: Path | None, context: str | None, timeout: float, vm: str = "") -> Fleet:
    """
    The objects of a cluster, with the ControllerRevisions of the VMs that are called ``vm``. Notes on standard error name the
    kinds that cannot be read.

    Raises Unavailable if the API server does not answer, and Misconfigured for an account that may list neither nodes nor pods
    nor VMIs, and for a cluster without KubeVirt.
    """
    from webhook.cluster.fleet import list_fleet
    from webhook.cluster.messages import forbidden

    transport, cluster = connected(command, kubeconfig, context)
    try:
        fleet = list_fleet(transport, DRAIN_KINDS, timeout)
        if vm:
            from webhook.cluster.live_reads import LiveReads
            from webhook.surfaces.cli.vm_revisions import with_revisions_of

            fleet = with_revisions_of(fleet, LiveReads(transport, lambda _kind: ""), vm, timeout)
    finally:
        transport.close()
    unread = [kind for kind in ESSENTIAL if kind in fleet.unread]
    if len(unread) == len(ESSENTIAL):
        why = fleet.unread[unread[0]]
        if why != forbidden(FLEET_BY_CLASS[unread[0]]).why:
            raise Unavailable(
                f"{cluster}: {why}", remedy="Check `server` in the kubeconfig and the network, then try again."
            )
        raise Misconfigured(
            f"{cluster}: {why}",
            remedy="Check the kubeconfig and the rights of the account: it needs get and list on nodes, pods and VMIs.",
        )
    if KubeVirt in fleet.complete and not fleet.given(KubeVirt):
        raise Misconfigured(
            f"{cluster} has no KubeVirt CR: KubeVirt is not deployed, so no VM runs there",
            remedy="Name the context of a cluster with KubeVirt: --context NAME.",
        )
    for kind, why in fleet.unread.items():
        write_stderr(f"note: no {FLEET_BY_CLASS[kind].kind} was read: {why}")
    return fleet
