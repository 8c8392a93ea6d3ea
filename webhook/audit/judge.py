"""Judges one object of a cluster, for an audit of the whole cluster and for a watch."""

import msgspec

from webhook.audit.conditions import agrees, conditions_of, disagreements
from webhook.check.check import ReleaseChoice, Settings, choose_release, examine
from webhook.facts.unknown import Unknown
from webhook.facts.world import World
from webhook.kubevirt.cluster import cluster_of
from webhook.kubevirt.hyperconverged.lookup import with_kubevirt
from webhook.kubevirt.subject import subject_of
from webhook.manifests.objects import ManifestObject
from webhook.objects.hyper_converged import WrittenConfiguration
from webhook.objects.meta import Kubernetes
from webhook.objects.vm import VirtualMachine
from webhook.objects.vmi import VirtualMachineInstance
from webhook.report.audited import Audited
from webhook.report.building import object_report


class Judge:
    """Judges objects with one policy and release. The release of the KubeVirt CR is read once."""

    def __init__(self, world: World, settings: Settings) -> None:
        """Raises BadInput for a release that cannot be judged."""
        self.settings = settings
        self.release: ReleaseChoice = choose_release(settings.release, world)
        self.used: set[tuple[str, tuple[str, ...]]] = set()
        """The labels and notes of the releases in use."""
        self._strategy = _strategy_of_cluster(world, self.release)

    def judge(self, live: ManifestObject, world: World) -> Audited | None:
        """The report on an object, or None for a kind that is not judged."""
        examined = examine(live, world, self.settings, self.release)
        if examined is None:
            return None
        self.used.add((examined.release, examined.notes))
        judged = live.object
        is_machine = isinstance(judged, VirtualMachine | VirtualMachineInstance)
        return Audited(
            object_report(examined),
            judged.meta.uid or "" if judged is not None else "",
            is_machine=is_machine,
            is_running=isinstance(judged, VirtualMachineInstance),
            eviction_strategy=_strategy_of(judged, self._strategy) if is_machine else "",
        )

    def compare(
        self, machine: Audited | None, vmi: ManifestObject, world: World
    ) -> tuple[Audited | None, Audited | None]:
        """
        Compares a VMI with the VirtualMachine that owns it, if there is one.

        Returns the VirtualMachine with the disagreements, and the VMI if the VMI has to be reported by itself: no
        VirtualMachine owns it, or it has findings and its verdict differs from the verdict about its VirtualMachine, which
        was changed since the VMI started.
        """
        observed = conditions_of(vmi.raw)
        if machine is not None and agrees(observed, machine.report.verdict):
            return msgspec.structs.replace(machine, is_running=True), None
        alone = self.judge(vmi, world)
        if alone is None:
            return machine, None
        differing = disagreements(alone.report.namespace, alone.report.name, observed, alone.report.verdict)
        if machine is None:
            return None, msgspec.structs.replace(alone, disagreements=differing)
        machine = msgspec.structs.replace(machine, is_running=True, disagreements=differing)
        if not alone.report.findings or not _differs(machine, alone):
            return machine, None
        return machine, msgspec.structs.replace(alone, is_machine=False)


def _differs(machine: Audited, alone: Audited) -> bool:
    first, second = machine.report.verdict, alone.report.verdict
    if first is None or second is None:
        return first is not second
    return (first.live_migratable, first.reason) != (second.live_migratable, second.reason)


def _strategy_of_cluster(world: World, release: ReleaseChoice) -> str:
    """The evictionStrategy of the KubeVirt CR, ``None`` by default. Empty if it is unknown."""
    configuration = cluster_of(with_kubevirt(world, release.releases)).configuration
    if isinstance(configuration, Unknown):
        return ""
    if configuration.eviction_strategy is None and isinstance(configuration, WrittenConfiguration):
        return ""
    return configuration.eviction_strategy or "None"


def _strategy_of(judged: Kubernetes | None, of_cluster: str) -> str:
    """The eviction strategy in force. A VMI without a strategy has the strategy of the cluster."""
    subject = subject_of(judged) if judged is not None else None
    own = subject.spec.eviction_strategy if subject is not None else None
    return own or of_cluster
