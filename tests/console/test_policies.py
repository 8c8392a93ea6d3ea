"""The VMs for which each MigrationPolicy decides."""

from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.drain.fleets import Object, as_fleet, kubevirt, node, owned, vm, vmi
from webhook.console.policies import (
    Labelled,
    labelled_in,
    labels_by_namespace,
    matched_policies,
    with_ties,
)
from webhook.console.state import MatchedPolicy
from webhook.drain.explain_vm import Explainer
from webhook.drain.plan import DrainReport
from webhook.facts.fleet import Fleet
from webhook.facts.objects_world import ObjectsWorld
from webhook.objects.kubevirt import MigrationPolicy
from webhook.objects.nad import Namespace
from webhook.objects.running import RunningVMI
from webhook.objects.vm import VirtualMachine

SPACES = ("lab", "shop")
LABELS = st.dictionaries(st.sampled_from(("app", "tier", "zone")), st.sampled_from(("a", "b")), max_size=3)
SELECTOR = st.one_of(
    st.none(),
    LABELS,
    LABELS,
    st.just({"kubernetes.io/metadata.name": "lab"}),
    st.just({"matchLabels": {"app": "a"}}),
)


def policy(name: str, spec: Any) -> Object:
    return {
        "apiVersion": "migrations.kubevirt.io/v1alpha1",
        "kind": "MigrationPolicy",
        "metadata": {"name": name},
        "spec": spec,
    }


def namespace(name: str, labels: Mapping[str, str]) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": dict(labels)}}


def matched(fleet: Fleet) -> dict[str, MatchedPolicy]:
    policies = fleet.given(MigrationPolicy)
    world = ObjectsWorld(fleet.given(Namespace))
    found = matched_policies(policies, labelled_in(fleet), labels_by_namespace(policies, world))
    return {one.name: one for one in found}


def specs() -> st.SearchStrategy[Any]:
    selectors = st.fixed_dictionaries(
        {}, optional={"namespaceSelector": SELECTOR, "virtualMachineInstanceSelector": SELECTOR}
    )
    return st.one_of(
        st.just({}), selectors.map(lambda one: {"selectors": one}), selectors.map(lambda one: {"selectors": one})
    )


@st.composite
def fleets(draw: st.DrawFn) -> Fleet:
    """Policies, VMs that run, have ended or have not started, and namespaces of which some are not given."""
    objects: list[Object] = [kubevirt(), node("n1")]
    objects += [policy(f"p{at}", spec) for at, spec in enumerate(draw(st.lists(specs(), max_size=6)))]
    objects += [namespace(name, draw(LABELS)) for name in SPACES if draw(st.booleans())]
    for at in range(draw(st.integers(1, 4))):
        phase = draw(st.sampled_from(("Running", "Succeeded", "")))
        made = vmi(
            f"vm{at}", "n1", namespace=draw(st.sampled_from(SPACES)), labels=draw(LABELS), status={"phase": phase}
        )
        template = vm(made)
        template["spec"]["template"]["metadata"] = {"labels": draw(LABELS)}
        objects += [template] if draw(st.booleans()) else []
        objects += [made] if draw(st.booleans()) or len(objects) == 1 else []
    return as_fleet(objects)


@given(fleets())
@settings(max_examples=100, deadline=None)
def test_a_policy_decides_for_the_vms_that_explain_names(fleet: Fleet) -> None:
    """
    For each VM, ``explain`` names one policy in force, or several if labels are unknown. The lists of the policies agree.
    """
    found = matched(fleet)
    explainer = Explainer(fleet, rehearsed=DrainReport(()))
    vms = {(one.namespace, one.name) for kind in (VirtualMachine, RunningVMI) for one in fleet.given(kind)}

    for key in vms:
        cases = [case.name for case in explainer.explain(key[1], key[0]).policies]
        decide = [name for name, one in found.items() if key in one.decides]
        unknown = [name for name, one in found.items() if key in one.unknown]
        losing = {name: by for name, one in found.items() for *place, by in one.loses if tuple(place) == key}
        if len(cases) == 1:
            assert decide == [name for name in cases if name]
            assert not unknown
            assert set(losing.values()) <= set(cases)
        else:
            assert sorted(unknown) == sorted(filter(None, cases))
            assert not decide
            assert not losing
    listed = {place for one in found.values() for place in (*one.decides, *one.unknown, *(it[:2] for it in one.loses))}
    assert listed <= vms


def policies_of(*given: tuple[str, dict[str, str], dict[str, str]], **labels: str) -> dict[str, MatchedPolicy]:
    """Policies with a namespace selector and a VMI selector each, for one VM in namespace ``lab`` with label ``tier: gold``."""
    objects = [
        policy(name, {"selectors": {"namespaceSelector": space, "virtualMachineInstanceSelector": own}, "bandwidth": 1})
        for name, space, own in given
    ]
    return matched(as_fleet((*objects, namespace("lab", {"tier": "gold"}), *owned(vmi("vm", "n1", labels=labels)))))


def test_policies_with_as_many_labels_are_tied() -> None:
    """
    Only the names decide between ``a`` and ``b``. ``c`` has fewer labels of the VMI, so it loses, and is tied with ``e`` alone.
    """
    found = policies_of(
        ("b", {}, {"app": "a"}),
        ("a", {}, {"app": "a"}),
        ("c", {"tier": "gold"}, {}),
        ("d", {}, {"app": "z"}),
        ("e", {"tier": "gold"}, {}),
        app="a",
    )

    assert found["a"].decides == (("lab", "vm"),)
    assert found["b"].loses == found["c"].loses == (("lab", "vm", "a"),)
    assert [found[name].tied_with for name in "abcde"] == [("b",), ("a",), ("e",), (), ("c",)]


def test_a_policy_that_may_match_loses_nothing() -> None:
    """
    The labels of the namespace are unknown. A certain match with more labels decides in any case.
    """
    selectors = {
        "may": {"namespaceSelector": {"tier": "gold"}},
        "wins": {"virtualMachineInstanceSelector": {"app": "a", "zone": "a"}},
    }
    policies = [policy(name, {"selectors": one}) for name, one in selectors.items()]
    found = matched(as_fleet((*policies, vmi("vm", "n1", labels={"app": "a", "zone": "a"}))))

    assert found["wins"].decides == (("lab", "vm"),)
    assert (found["may"].loses, found["may"].unknown) == ((), ())


def test_a_vmi_that_has_ended_counts_only_without_its_vm() -> None:
    """
    The next VMI has the labels of the template.
    """
    ended = vmi("vm", "n1", labels={"app": "old"}, status={"phase": "Succeeded"})
    template = vm(ended)
    template["spec"]["template"]["metadata"] = {"labels": {"app": "new"}}
    policies = [
        policy(name, {"selectors": {"virtualMachineInstanceSelector": {"app": name}}}) for name in ("old", "new")
    ]

    both, alone = matched(as_fleet((*policies, ended, template))), matched(as_fleet((*policies, ended)))

    assert (both["new"].decides, both["old"].decides) == ((("lab", "vm"),), ())
    assert (alone["new"].decides, alone["old"].decides) == ((), (("lab", "vm"),))


def test_the_ties_of_a_part_are_those_of_its_vms() -> None:
    """
    If the only VM that both policies match is left out, they are not tied.
    """
    both = ("a", {}, {"app": "a"}), ("b", {}, {"app": "a"})
    found = policies_of(*both, app="a").values()

    hidden = [MatchedPolicy(one.name, one.settings, one.selectors) for one in found]

    assert [one.tied_with for one in with_ties(found)] == [("b",), ("a",)]
    assert [one.tied_with for one in with_ties(hidden)] == [(), ()]


def test_a_policy_shows_its_settings_and_selectors() -> None:
    """
    In the order of the names, with the values as text.
    """
    spec = {
        "allowPostCopy": True,
        "completionTimeoutPerGiB": 800,
        "bandwidthPerMigration": "64Mi",
        "selectors": {"virtualMachineInstanceSelector": {"b": "1", "a": "2"}, "namespaceSelector": {"c": "3"}},
    }
    (one,) = matched(as_fleet((policy("p", spec),))).values()

    assert one.settings == (
        ("allowPostCopy", "true"),
        ("bandwidthPerMigration", "64Mi"),
        ("completionTimeoutPerGiB", "800"),
    )
    assert one.selectors == (("namespace", "c", "3"), ("vmi", "a", "2"), ("vmi", "b", "1"))
    assert one.problem == ""


def test_a_policy_without_effect_has_a_problem() -> None:
    """
    KubeVirt never applies a policy without selectors. The API server refuses other selectors than maps.
    """
    wrong = {"selectors": {"namespaceSelector": {"matchLabels": {"a": "b"}}}}
    found = matched(as_fleet((policy("none", {}), policy("wrong", wrong), vmi("vm", "n1"))))

    assert found["none"].problem == "it has no selectors, so KubeVirt never applies it"
    assert found["wrong"].problem.startswith("spec.selectors.namespaceSelector.matchLabels: ")
    assert {one.decides for one in found.values()} == {()}


def test_the_labels_of_a_namespace_are_read_once() -> None:
    """
    Its VMs share them.
    """
    read: list[str] = []

    def labels_of(name: str) -> Mapping[str, str]:
        read.append(name)
        return {}

    given = as_fleet((policy("p", {"selectors": {"virtualMachineInstanceSelector": {"app": "a"}}}),)).given(
        MigrationPolicy
    )
    vms = [Labelled("lab", f"vm{at}", {"app": "a", "other": str(at)}) for at in range(3)]

    (one,) = matched_policies(given, vms, labels_of)

    assert one.decides == (("lab", "vm0"), ("lab", "vm1"), ("lab", "vm2"))
    assert read == ["lab"]
