"""
The engine behind every surface: judges VMs and the labels and fields of manifests.

This module does no I/O. The same object and the same world give the same findings on every surface.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING

from msgspec.structs import replace

from webhook.facts.drain import DrainFacts, features_of_drain
from webhook.facts.features import Features, features_of
from webhook.facts.manifest import ManifestFacts, PatchedProblem, features_of_manifest
from webhook.facts.migration import MigrationFacts
from webhook.facts.unknown import Differing, Fact, Unknown
from webhook.facts.world import World, for_advice
from webhook.judging.finding import Finding, Judgement, finding_of, findings_about
from webhook.kubevirt.expansion.expand import expand
from webhook.kubevirt.expansion.interfaces import BRIDGE_OVERRIDE
from webhook.kubevirt.hyperconverged.lookup import with_kubevirt
from webhook.kubevirt.releases import NONE, Releases, behaviours, newest, only
from webhook.kubevirt.run_strategy import after_stop
from webhook.kubevirt.schema.unknown_fields import problems_in
from webhook.kubevirt.subject import Subject, subject_of
from webhook.kubevirt.verdict import Evidence, Verdict, decide, decide_storage, migration_method
from webhook.objects.disruption import PodDisruptionBudget
from webhook.objects.hyper_converged import HyperConverged, WrittenConfiguration
from webhook.objects.kinds import find_kind
from webhook.objects.kubevirt import KubeVirt, MigrationPolicy
from webhook.objects.meta import Json, Kubernetes
from webhook.objects.nad import NetworkAttachmentDefinition, Node
from webhook.objects.path import FieldPath
from webhook.objects.quotas import ResourceQuota
from webhook.objects.scheduling import HOSTNAME
from webhook.objects.storage import PersistentVolume, StorageClass
from webhook.rules.machines import DRAIN_RULES, MANIFEST_RULES, VMI_RULES
from webhook.rules.rule import Assumption, Basis

if TYPE_CHECKING:
    from webhook.facts.target import TargetFacts

CLUSTER_API = "capk.cluster.x-k8s.io/"
"""
The prefix of the labels that Cluster API's provider for KubeVirt adds to the template of each VM, such as
``capk.cluster.x-k8s.io/kubevirt-machine-name`` (kubernetes-sigs/cluster-api-provider-kubevirt pkg/kubevirt/machine.go).
"""
_BY_NUMBER_OF_NODES = Unknown(
    "HyperConverged chooses the evictionStrategy by the number of worker nodes",
    "set evictionStrategy of the HyperConverged CR",
)
MAX_VIOLATIONS = 10_000
"""
Maximum number of violations of one rule in one object. KubeVirt's CRDs limit neither the ports of an interface nor the GPUs
of a VM, and an object of 3 MiB can have 120,000 of them, which would delay other reviews for seconds. Undetermined outcomes
do not count towards this limit and are never left out.
"""


def judge(judged: Kubernetes, world: World, releases: Releases) -> Judgement:
    """
    All findings about ``judged`` in ``releases``, and the verdict of the newest of these releases.

    ``releases`` must not be empty. Never raises for an object that could be read.
    """
    subject = subject_of(judged)
    if subject is not None:
        return _judge_vmi(judged, subject, with_kubevirt(world, releases), releases)
    if isinstance(judged, NetworkAttachmentDefinition | KubeVirt | MigrationPolicy | HyperConverged):
        from webhook.judging.cluster import judge_cluster  # noqa: PLC0415 - most runs have no such object

        return judge_cluster(judged, world, releases)
    return Judgement(())


def _judge_vmi(judged: Kubernetes, subject: Subject, world: World, releases: Releases) -> Judgement:
    findings: list[Finding] = []
    assumptions: list[str] = []
    expansions = tuple(expand(subject, world, releases))
    last = expansions[-1]  # the newest releases, which decide the verdict
    features = 0
    for facts in expansions:
        features |= features_of(facts)
    for rule in VMI_RULES.for_features(features):
        for facts in expansions:
            limit = len(findings) + MAX_VIOLATIONS
            for outcome in rule.check(facts):
                if isinstance(outcome, Assumption):
                    if facts is last:
                        assumptions.append(outcome.text)
                elif (finding := finding_of(rule, outcome, facts.releases)) is not None:
                    findings.append(finding)
                    if len(findings) >= limit and not finding.undetermined:
                        break
    merged = merge(findings)
    if last.architecture_assumed:
        assumptions.append(f"the VM runs on {last.architecture} (the field architecture is not set)")
    assumptions.extend(last.assumptions)
    verdict = _verdict(merged, last, releases, tuple(assumptions))
    drain = _drain_facts(last, verdict, after_stop(subject))
    merged.extend(findings_about(DRAIN_RULES.for_features(features_of_drain(drain)), drain, releases))
    known = for_advice(world)
    whole = last if last.releases == releases else replace(last, releases=releases)
    if whole.claims or whole.overlaid_claims:
        merged.extend(_storage_findings(subject, whole, known, _storage_reasons(merged, whole)))
    merged.extend(_target_findings(judged, subject, last, drain, known, releases))
    merged.extend(_budget_findings(whole, world, verdict))
    return Judgement(tuple(merged), verdict)


def _budget_findings(facts: MigrationFacts, world: World, verdict: Verdict) -> Iterable[Finding]:
    """
    Findings about the time of a migration. If only its claims prevent a migration, a VM can migrate together with its
    volumes.
    """
    only_volumes = verdict.live_migratable is False
    moves = facts.volumes_strategy is not None and _moves(verdict)
    if isinstance(facts.configuration, Unknown) or (only_volumes and not moves):
        return ()
    time_allowed, rules = _budget_modules()
    budget = time_allowed.budget_facts(facts, world)
    if budget is None:
        return ()
    return findings_about(rules.BUDGET_RULES, replace(budget, only_volumes=only_volumes), facts.releases)


@cache  # an import statement costs more than a rule
def _budget_modules() -> tuple[ModuleType, ModuleType]:
    from webhook.kubevirt.settings import time_allowed  # noqa: PLC0415 - only for known settings
    from webhook.rules import budget  # noqa: PLC0415

    return time_allowed, budget


def _moves(verdict: Verdict) -> bool:
    """Whether KubeVirt can move the VM to other claims."""
    return verdict.storage is not None and verdict.storage.live_migratable is not False


def _storage_reasons(findings: Sequence[Finding], facts: MigrationFacts) -> Mapping[tuple[str, ...], Releases]:
    """The reasons of StorageLiveMigratable with the releases that have them, for a VM with volume migration."""
    reasons: dict[tuple[str, ...], Releases] = {}
    for behaviour in behaviours(facts.releases) if facts.volumes_strategy is not None else ():
        storage = decide_storage(behaviour, _evidence(findings, facts, only(behaviour.release)), facts)
        if storage is not None and storage.reasons:
            reasons[storage.reasons] = reasons.get(storage.reasons, NONE) | only(behaviour.release)
    return reasons


def _storage_findings(
    subject: Subject, facts: MigrationFacts, world: World, reasons: Mapping[tuple[str, ...], Releases]
) -> Iterable[Finding]:
    """
    Findings about the storage behind the claims of a VMI, which never change the verdict. There is none about claims that
    name no StorageClass if no default class and no PersistentVolume is known.
    """
    is_bare = all(claim.is_bare for claim in (*facts.claims, *facts.overlaid_claims))
    if is_bare and facts.volumes_strategy is None:
        classes = world.every(StorageClass)
        if (isinstance(classes, Unknown) or not classes) and isinstance(world.every(PersistentVolume), Unknown):
            return ()
    storage = _storage_module().storage_facts(facts, subject, world, reasons)
    if storage is None:
        return ()
    from webhook.rules.storage_advice import STORAGE_RULES  # noqa: PLC0415

    return findings_about(STORAGE_RULES, storage, facts.releases)


@cache
def _storage_module() -> ModuleType:
    from webhook.kubevirt.storage import backing  # noqa: PLC0415 - only for VMs with claims

    return backing


def _has_any(kind: type[Kubernetes], world: World) -> bool:
    """Whether an object of the kind is known."""
    known = world.every(kind)
    return bool(known) and not isinstance(known, Unknown)


def _is_placed(facts: MigrationFacts) -> bool:
    """Whether the VMI selects nodes in a way that can be judged without the nodes."""
    selector, affinity = facts.node_selector, facts.spec.affinity
    return (selector is not None and HOSTNAME in selector.value) or (
        affinity is not None and affinity.node_affinity is not None
    )


def _is_bridged(facts: MigrationFacts) -> bool:
    """Whether an interface with bridge binding is on a network other than the pod network."""
    on_pod = facts.pod_interface.value if facts.pod_interface is not None else None
    return any(interface.bridge is not None and interface is not on_pod for interface in facts.interfaces)


def _target_findings(
    judged: Kubernetes, subject: Subject, facts: MigrationFacts, drain: DrainFacts, world: World, releases: Releases
) -> Iterable[Finding]:
    """Findings about the target pod of a live migration, which never change the verdict."""
    has_any = _has_any(Node, world) or _has_any(PodDisruptionBudget, world) or _has_any(ResourceQuota, world)
    is_overridden = BRIDGE_OVERRIDE in facts.annotations
    if not (has_any or is_overridden or _is_placed(facts) or _is_bridged(facts)):
        return ()
    target, rules, features_of_target = _target_modules()
    about = target.target_facts(judged, subject, facts, drain, world, releases)
    if is_overridden:
        from webhook.kubevirt.pod_network import pod_attachment  # noqa: PLC0415 - few VMs have the annotation

        about = replace(about, pod_attachment=pod_attachment(facts, world))
    return findings_about(rules.TARGET_RULES.for_features(features_of_target(about)), about, releases)


@cache
def _target_modules() -> tuple[ModuleType, ModuleType, "Callable[[TargetFacts], Features]"]:
    from webhook.facts.target import features_of_target  # noqa: PLC0415 - only for VMs that need it
    from webhook.kubevirt.launcher import target  # noqa: PLC0415 - only for VMs that need it
    from webhook.rules import target_pod  # noqa: PLC0415

    return target, target_pod, features_of_target


def judge_manifest(
    raw: Mapping[str, Json], releases: Releases, refusal: str = "", patched: tuple[PatchedProblem, ...] = ()
) -> Judgement:
    """
    Findings about a manifest's kind and field names: unknown kinds, unknown fields and invalid values.

    API servers refuse or drop such fields before admission, so only a check of manifests calls this function. ``refusal`` is
    the reason why KubeVirt refuses a VirtualMachineInstanceMigration, if it does. ``patched`` are the violations that the
    patches of a VirtualMachineClone add.
    """
    api_version, kind = str(raw.get("apiVersion", "")), str(raw.get("kind", ""))
    metadata = raw.get("metadata")
    fields, values, quantities = problems_in(kind, raw)
    if kind == HyperConverged.__name__:
        from webhook.kubevirt.schema.hyper_converged import unknown_in  # noqa: PLC0415 - few inputs have one

        fields = unknown_in(raw)
    facts = ManifestFacts(
        api_version,
        kind,
        releases,
        fields,
        values,
        quantities,
        metadata if isinstance(metadata, dict) else {},
        raw,
        refusal,
        patched,
    )
    if find_kind(api_version, kind) is not None:
        rules = MANIFEST_RULES.for_features(features_of_manifest(facts))
        return Judgement(tuple(findings_about(rules, facts, releases)))
    from webhook.rules.other_kinds import OTHER_KIND_RULES  # noqa: PLC0415 - most runs have no such object

    return Judgement(tuple(findings_about(OTHER_KIND_RULES, facts, releases)))


def merge(findings: Iterable[Finding]) -> list[Finding]:
    """
    Merges findings that are equal in several groups of releases. The merged finding has the message of the newest group.

    The findings of one rule must be sorted by release, oldest first. The result keeps the order of first appearance.
    """
    merged: dict[tuple[str, str, FieldPath, bool], Finding] = {}
    for finding in findings:
        key = (*finding.identity, finding.path, finding.undetermined)
        same = merged.get(key)
        if same is None:
            merged[key] = finding
        else:
            basis = Basis.KUBEVIRT if finding.basis is Basis.KUBEVIRT else same.basis
            releases = (
                same.releases | finding.releases
                if same.basis is finding.basis
                else next(candidate.releases for candidate in (same, finding) if candidate.basis is basis)
            )
            merged[key] = replace(finding, basis=basis, releases=releases)
    return list(merged.values())


def _verdict(
    findings: Sequence[Finding], facts: MigrationFacts, releases: Releases, assumptions: tuple[str, ...]
) -> Verdict:
    behaviour = newest(releases)
    release = only(behaviour.release)
    evidence = _evidence(findings, facts, release, assumptions)
    storage = decide_storage(behaviour, evidence, facts)
    return decide(behaviour, evidence, migration_method(facts, release), storage)


def _evidence(
    findings: Sequence[Finding], facts: MigrationFacts, release: Releases, assumptions: tuple[str, ...] = ()
) -> Evidence:
    differs = isinstance(facts.host_model_known, Differing)
    deciding = [finding for finding in findings if finding.basis is Basis.KUBEVIRT and finding.releases & release]
    if not deciding:
        return Evidence((), (), differs, (), assumptions)
    reasons = [(finding.rule.reason, finding.undetermined) for finding in deciding if finding.rule.reason is not None]
    return Evidence(
        refusing={reason for reason, undetermined in reasons if not undetermined},
        undecided={reason for reason, undetermined in reasons if undetermined},
        host_model_differs=differs,
        unproven=tuple(finding.message for finding in deciding if finding.undetermined),
        assumptions=assumptions,
    )


def _drain_facts(facts: MigrationFacts, verdict: Verdict, afterwards: str) -> DrainFacts:
    """
    Facts for rules about a drain.

    The strategy in force is the strategy of the VMI. If the VMI has no strategy, the strategy of the cluster is in force,
    which is ``None`` by default.
    """
    own = facts.spec.eviction_strategy
    strategy: Fact[str]
    if own is not None:
        strategy = own
    elif isinstance(facts.configuration, Unknown):
        strategy = facts.configuration
    elif facts.configuration.eviction_strategy is None and isinstance(facts.configuration, WrittenConfiguration):
        strategy = _BY_NUMBER_OF_NODES
    else:
        strategy = facts.configuration.eviction_strategy or "None"
    controller = "Cluster API" if any(label.startswith(CLUSTER_API) for label in facts.labels) else ""
    return DrainFacts(facts.base, strategy, own is not None, verdict.live_migratable, controller, afterwards)
