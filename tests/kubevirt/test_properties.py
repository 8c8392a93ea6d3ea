"""Properties of every verdict, over generated VMs and clusters."""

import copy
import random
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from tests.generating import Manifest, World, carriers, machines, worlds
from tests.generating.accepting import acceptable, spec_of
from tests.kubevirt.building import read
from webhook.facts.objects_world import ObjectsWorld
from webhook.judging.finding import Finding, Judgement
from webhook.judging.machines import judge
from webhook.kubevirt.releases import KNOWN, SUPPORTED, TABLE, Reason, Releases, behaviours, only
from webhook.objects.kinds import KINDS
from webhook.rules.rule import About, Basis

EVERY_KIND = [kind.reads for kind in KINDS]
SLOW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


def judged(manifest: Manifest, around: World, releases: Releases, *, complete: bool) -> Judgement:
    world = ObjectsWorld([read(one) for one in around], EVERY_KIND if complete else ())
    return judge(read(manifest), world, releases)


def shuffled(value: Any, order: random.Random) -> Any:
    """The same value with the keys of all mappings, and all volumes and interfaces, in another order."""
    if isinstance(value, dict):
        keys = list(value)
        order.shuffle(keys)
        made = {key: shuffled(value[key], order) for key in keys}
        for key in ("volumes", "interfaces", "disks", "filesystems", "gpus", "hostDevices"):
            if isinstance(made.get(key), list):
                order.shuffle(made[key])
        return made
    return [shuffled(one, order) for one in value] if isinstance(value, list) else value


def without_place(finding: Finding) -> tuple[object, ...]:
    return (*finding.identity, finding.basis, finding.releases, finding.undetermined, finding.message)


@SLOW
@given(carriers(), worlds(), st.randoms(use_true_random=False), st.booleans())
def test_order_changes_no_finding(manifest: Manifest, around: World, order: random.Random, complete: bool) -> None:
    """
    The order of volumes, interfaces, devices and keys changes only the paths of findings.
    """
    manifest = acceptable(manifest)

    before = judged(manifest, around, SUPPORTED, complete=complete)
    after = judged(shuffled(manifest, order), around, SUPPORTED, complete=complete)

    assert sorted(map(without_place, before.findings)) == sorted(map(without_place, after.findings))
    assert before.verdict is not None
    assert after.verdict is not None
    assert (before.verdict.live_migratable, before.verdict.reason) == (
        after.verdict.live_migratable,
        after.verdict.reason,
    )
    assert before.verdict.migration_method == after.verdict.migration_method
    assert sorted(before.verdict.unproven) == sorted(after.verdict.unproven)


def inferred_from(manifest: Manifest) -> set[str]:
    """Volumes that an instancetype or preference is inferred from."""
    spec = manifest["spec"]
    spec = spec["virtualMachineTemplate"]["spec"] if manifest["kind"] == "VirtualMachinePool" else spec
    return {spec.get(key, {}).get("inferFromVolume", "") for key in ("instancetype", "preference")}


def smaller(manifest: Manifest) -> Iterator[tuple[str, Manifest]]:
    """
    The manifest without one volume, one interface or one device.

    An interface goes with its network, and the last one stays: KubeVirt adds a bridge on the pod network to a VMI without
    any, and from 1.8 on refuses to migrate one whose pod network has lost its interface. A volume that an instancetype is
    inferred from stays, because KubeVirt refuses the VM without it. A device of which the instancetype has more stays,
    because only then those of the instancetype would count.
    """
    spec = spec_of(manifest)
    refers = "instancetype" in manifest["spec"] or manifest["kind"] == "VirtualMachinePool"
    for index, volume in enumerate(spec.get("volumes", ())):
        if volume["name"] not in inferred_from(manifest):
            made = copy.deepcopy(manifest)
            del spec_of(made)["volumes"][index]
            yield "volume", made
    devices = spec["domain"]["devices"]
    for index, interface in enumerate(devices.get("interfaces", ())):
        if len(devices["interfaces"]) > 1:
            made = copy.deepcopy(manifest)
            del spec_of(made)["domain"]["devices"]["interfaces"][index]
            rest = [one for one in spec.get("networks", ()) if one["name"] != interface["name"]]
            spec_of(made)["networks"] = rest
            yield "interface", made
    for key in ("disks", "filesystems", "gpus", "hostDevices"):
        for index in range(len(devices.get(key, ()))):
            if not refers or key in ("disks", "filesystems"):
                made = copy.deepcopy(manifest)
                del spec_of(made)["domain"]["devices"][key][index]
                yield key, made


@SLOW
@given(carriers(), worlds(), st.booleans(), st.data())
def test_removing_a_part_adds_no_finding(
    manifest: Manifest, around: World, complete: bool, data: st.DataObject
) -> None:
    """
    A VM without one of its volumes, interfaces or devices has no new finding.

    If the VM can be live-migrated only now, rules about drains and target pods can have findings.
    """
    manifest = acceptable(manifest)
    choices = list(smaller(manifest))
    assume(choices)
    what, less = data.draw(st.sampled_from(choices))
    event(what)

    before = judged(manifest, around, KNOWN, complete=complete)
    after = judged(less, around, KNOWN, complete=complete)

    had: dict[tuple[str, str], Releases] = {}
    for finding in before.findings:
        had[finding.identity] = had.get(finding.identity, 0) | finding.releases
    assert before.verdict is not None
    could_migrate = before.verdict.live_migratable is True
    for finding in after.findings:
        if finding.rule.about in (About.DRAIN, About.TARGET) and not could_migrate:
            continue
        assert not finding.releases & ~had.get(finding.identity, 0), (finding, before.findings)


@SLOW
@given(carriers(), worlds(), st.booleans(), st.sampled_from(TABLE))
def test_a_verdict_is_false_where_kubevirt_refuses_and_only_there(
    manifest: Manifest, around: World, complete: bool, behaviour: Any
) -> None:
    """
    False with the first of the release's reasons exactly if a finding has basis ``kubevirt``; True exactly if nothing
    is unproven.
    """
    answer = judged(manifest, around, only(behaviour.release), complete=complete)

    assert answer.verdict is not None
    refusing = [one for one in answer.findings if one.basis is Basis.KUBEVIRT and not one.undetermined]
    open_ones = [one.message for one in answer.findings if one.basis is Basis.KUBEVIRT and one.undetermined]
    held = {one.rule.reason for one in refusing}
    unproven = {one.rule.reason for one in answer.findings if one.basis is Basis.KUBEVIRT and one.undetermined}
    first = next((reason for reason in behaviour.order if reason in held), None)
    earlier = (
        [reason for reason in behaviour.order[: behaviour.order.index(first)] if reason in unproven] if first else []
    )
    if first is Reason.NO_TSC and answer.verdict.live_migratable is None:
        assert "only some of the nodes" in answer.verdict.unproven[-1]
        return
    assert (answer.verdict.live_migratable is False) == bool(refusing)
    assert (answer.verdict.live_migratable is None) == (bool(open_ones) and not refusing)
    assert list(answer.verdict.unproven) == open_ones
    assert answer.verdict.reason == (None if earlier else first)
    assert list(answer.verdict.possible) == ([*earlier, first] if earlier else [])
    event(str(answer.verdict.live_migratable))


def by_release(answer: Judgement, releases: Releases) -> set[tuple[object, ...]]:
    """The releases of each finding."""
    return {
        (str(behaviour.release), *finding.identity, finding.path, finding.undetermined)
        for finding in answer.findings
        if finding.rule.about != "drain" and finding.basis is not Basis.BASELINE
        for behaviour in behaviours(finding.releases & releases)
    }


@SLOW
@given(machines(), worlds(), st.booleans())
def test_any_release_is_all_of_them_at_once(manifest: Manifest, around: World, complete: bool) -> None:
    """
    A finding holds for exactly the releases that give it when judged alone.
    """
    together = judged(manifest, around, SUPPORTED, complete=complete)
    alone = [judged(manifest, around, only(one.release), complete=complete) for one in behaviours(SUPPORTED)]

    assert by_release(together, SUPPORTED) == set().union(*(by_release(one, SUPPORTED) for one in alone))
    assert together.verdict == alone[-1].verdict


@SLOW
@given(worlds(), st.booleans())
def test_any_readable_objects_give_complete_findings(around: World, complete: bool) -> None:
    """
    Settings, policies, networks and other objects are judged without an exception, in all releases at once.
    """
    findings = [item for manifest in around for item in judged(manifest, around, KNOWN, complete=complete).findings]

    assert all(finding.message and finding.remedy for finding in findings)
