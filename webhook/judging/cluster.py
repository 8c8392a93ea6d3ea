"""
Judges KubeVirt CRs, HyperConverged CRs, MigrationPolicies and NetworkAttachmentDefinitions. ``machines`` imports this module
only for an object of these kinds.

This module does no I/O.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from webhook.cni.attachments import migration_network_facts, network_facts
from webhook.cni.changes import migration_network_change, network_change
from webhook.facts.live_change import LiveChangeFacts
from webhook.facts.unknown import Unknown
from webhook.facts.world import World
from webhook.judging.finding import Finding, Judgement, findings_about
from webhook.judging.machines import judge, merge
from webhook.kubevirt.cluster import cluster_of
from webhook.kubevirt.hyperconverged.lookup import with_kubevirt
from webhook.kubevirt.live_changes import live_changes, live_update_in
from webhook.kubevirt.owners import owner_of
from webhook.kubevirt.releases import Releases
from webhook.kubevirt.settings.policies import policy_facts
from webhook.kubevirt.settings.settings import settings_facts
from webhook.objects.hyper_converged import HyperConverged
from webhook.objects.kubevirt import KubeVirt, MigrationPolicy
from webhook.objects.meta import Kubernetes
from webhook.objects.nad import NetworkAttachmentDefinition
from webhook.objects.vm import VirtualMachine
from webhook.rules.cluster import (
    MIGRATION_NETWORK_CHANGE_RULES,
    MIGRATION_NETWORK_RULES,
    NETWORK_CHANGE_RULES,
    NETWORK_RULES,
    POLICY_RULES,
    SETTINGS_RULES,
    VM_CHANGE_RULES,
)


def judge_cluster(
    judged: NetworkAttachmentDefinition | KubeVirt | MigrationPolicy | HyperConverged, world: World, releases: Releases
) -> Judgement:
    """All findings about an object without a VMI. The judgement has no verdict."""
    if isinstance(judged, HyperConverged):
        from webhook.judging.hyper_converged import judge_hyper_converged  # noqa: PLC0415 - few inputs have one

        return judge_hyper_converged(judged, world, releases)
    if not isinstance(judged, KubeVirt):
        world = with_kubevirt(world, releases)
    if isinstance(judged, NetworkAttachmentDefinition):
        return Judgement(_owned(judged, findings_about(NETWORK_RULES, network_facts(judged, world), releases)))
    if isinstance(judged, KubeVirt):
        findings = list(findings_about(SETTINGS_RULES, settings_facts(judged, releases), releases))
        network = migration_network_facts(judged, world)
        if network is not None:
            findings.extend(findings_about(MIGRATION_NETWORK_RULES, network, releases))
        return Judgement(_owned(judged, findings))
    return Judgement(tuple(findings_about(POLICY_RULES, policy_facts(judged, world, releases), releases)))


def judge_change(old: Kubernetes, new: Kubernetes, world: World, releases: Releases) -> tuple[Finding, ...]:
    """
    Findings about an update itself, in addition to the findings of ``judge`` about the new object.

    Manifests have no old object, so only admission calls this function.
    """
    if isinstance(old, HyperConverged) and isinstance(new, HyperConverged):
        from webhook.judging.hyper_converged import judge_hyper_converged_change  # noqa: PLC0415 - few inputs have one

        return judge_hyper_converged_change(old, new, releases)
    if isinstance(old, KubeVirt) and isinstance(new, KubeVirt):
        change, rules = migration_network_change(old, new), MIGRATION_NETWORK_CHANGE_RULES
    elif isinstance(old, NetworkAttachmentDefinition) and isinstance(new, NetworkAttachmentDefinition):
        change, rules = network_change(old, new, world), NETWORK_CHANGE_RULES
    elif isinstance(old, VirtualMachine) and isinstance(new, VirtualMachine):
        return _judge_live_changes(old, new, world, releases)
    else:
        return ()
    return _owned(new, findings_about(rules, change, releases)) if change is not None else ()


def _judge_live_changes(
    old: VirtualMachine, new: VirtualMachine, world: World, releases: Releases
) -> tuple[Finding, ...]:
    """The findings about an update of a running VM. The result is empty if the old version can or might be live-migrated."""
    configuration = cluster_of(world).configuration
    if isinstance(configuration, Unknown):
        return ()
    changes = tuple(live_changes(old, new, live_update_in(configuration)))
    verdict = judge(old, world, releases).verdict if changes else None
    if verdict is None or verdict.live_migratable is not False:
        return ()
    return tuple(merge(findings_about(VM_CHANGE_RULES, LiveChangeFacts(changes), releases)))


def _owned(judged: Kubernetes, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings. If an operator writes the object and would undo a change, the remedies name this operator."""
    owner = owner_of(judged)
    if owner is None:
        return tuple(findings)
    note = f"{owner.name} manages this {'CR' if isinstance(judged, KubeVirt) else 'network'} and undoes changes in it"
    return tuple(
        finding
        if finding.undetermined
        else replace(finding, remedy=f"{finding.remedy} {note}: {owner.place(finding.path)}.")
        for finding in findings
    )
