"""Explains which migration settings apply to each VM in a set of manifests."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from webhook.check.check import choose_release, fill, judge_object, working_directory
from webhook.errors import BadInput
from webhook.facts.layered_world import seen_from
from webhook.facts.objects_world import ObjectsWorld
from webhook.facts.unknown import Unknown
from webhook.kubevirt.cluster import cluster_of
from webhook.kubevirt.expansion.expand import expand
from webhook.kubevirt.hyperconverged.lookup import with_kubevirt
from webhook.kubevirt.releases import newest, only
from webhook.kubevirt.setting_origins import setting_origins
from webhook.kubevirt.settings.budget import link_of
from webhook.kubevirt.settings.explain import Explained, explain_cluster, explain_vm
from webhook.kubevirt.subject import Subject, subject_of
from webhook.kubevirt.verdict import Verdict
from webhook.manifests.objects import ManifestObject, Manifests, placed_in
from webhook.objects.kubevirt import MigrationPolicy
from webhook.objects.meta import Kubernetes
from webhook.report.building import reference_report
from webhook.report.settings_model import SettingsReport, build
from webhook.report.ties import described


@dataclass(frozen=True, slots=True)
class Request:
    """The VMs and the release to explain."""

    release: str = ""
    """As ``check --release``. For ``any``, the settings in the newest release are explained."""
    vms: tuple[str, ...] = ()
    """``name`` or ``namespace/name``. An empty list means all VMs."""
    link: str = ""
    """Bandwidth of a node's migration link in bytes per second, as a quantity. Empty means unknown."""


def explain_settings(
    inputs: Sequence[Manifests], background: Iterable[ManifestObject], request: Request
) -> SettingsReport:
    """
    The settings for each VM in ``inputs``. Other objects are looked up in ``inputs`` and ``background``.

    Raises BadInput for an unsupported release, an invalid link or an unknown VM.
    """
    manifest_objects = [manifest for file in inputs for manifest in file.objects]
    world = ObjectsWorld((), folder=working_directory())
    fill(world, inputs, placed_in(background))
    choice = choose_release(request.release, world)
    behaviour, link = newest(choice.releases), link_of(request.link)
    notes = list(choice.notes)
    if choice.label == "any":
        notes.append(
            f"the KubeVirt release is not known; these are the settings of {behaviour.release}. Set a release with --release"
        )
    configuration = cluster_of(with_kubevirt(world, only(behaviour.release))).configuration
    if isinstance(configuration, Unknown):
        notes.append(f"{configuration.why}; the output shows KubeVirt's defaults")
    if isinstance(world.every(MigrationPolicy), Unknown):
        notes.append("no MigrationPolicy was provided")
    migrations = None if isinstance(configuration, Unknown) else configuration.migrations
    cluster = explain_cluster(
        migrations,
        behaviour,
        has_cr=not isinstance(configuration, Unknown),
        link=link,
        origins=setting_origins(world, behaviour.release),
    )
    machines: list[tuple[Explained, Verdict | None]] = []
    for source, judged, subject in _subjects(manifest_objects, request.vms):
        near, view = seen_from(world, source, judged)
        near = choice.applied_to(near)
        of_vm = behaviour if view is None or request.release else newest(choose_release("", view).releases)
        verdict = judge_object(judged, near, only(of_vm.release)).verdict
        explained = [
            explain_vm(facts, near, of_vm, link, setting_origins(near, of_vm.release))
            for facts in expand(subject, with_kubevirt(near, only(of_vm.release)), only(of_vm.release))
        ]
        machines += [(one, verdict) for one in explained]
        what = f"{subject.kind} {subject.namespace}/{subject.name}"
        if of_vm is not behaviour:
            notes.append(f"the settings of {what} in {source} are for KubeVirt {of_vm.release}")
        notes += [
            f"{what}: {described(reference_report(choice))}" for choice in (view.choices if view is not None else ())
        ]
    return build(str(behaviour.release), cluster, machines, notes)


def _subjects(
    manifest_objects: Iterable[ManifestObject], names: tuple[str, ...]
) -> list[tuple[str, Kubernetes, Subject]]:
    vms = [
        (source, vm, subject) for vm, source in placed_in(manifest_objects) if (subject := subject_of(vm)) is not None
    ]
    for name in names:
        if not any(_is(subject, name) for _, _, subject in vms):
            known = ", ".join(sorted({subject.name for _, _, subject in vms})[:10]) or "none"
            raise BadInput(f"unknown VM {name!r}: it is not in the input", remedy=f"VMs in the input: {known}.")
    return [one for one in vms if not names or any(_is(one[2], name) for name in names)]


def _is(subject: Subject, name: str) -> bool:
    return name in (subject.name, f"{subject.namespace}/{subject.name}")
