"""The list of VMs: filters, order and pages."""

import re
from collections.abc import Callable
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.console.pages.asking import get
from tests.console.states import DISKS, MIGRATABLE, REFUSED, STATE, UNPROVEN, Fixed, audited, drains, machine, vm
from webhook.console.pages import vm_rows
from webhook.console.pages.query import Parameters, anything
from webhook.console.state import VM, State
from webhook.drain.plan import NodePlan, Outcome
from webhook.report.audited import UnreadReport
from webhook.surfaces.api.console.messages import Sight

NAMESPACES, NODES, RULES = ("blue", "red"), ("node-a", "node-b"), ("LM201", "LM302")
VERDICTS = (MIGRATABLE, REFUSED, UNPROVEN)


@st.composite
def states(draw: st.DrawFn) -> State:
    """VMs with all combinations of what filters choose. Some run."""
    keys = draw(st.sets(st.tuples(st.sampled_from(NAMESPACES), st.integers(0, 30).map("vm-{}".format)), max_size=12))
    vms = []
    nodes: dict[str, list[tuple[str, str, Outcome]]] = {name: [] for name in NODES}
    for namespace, name in sorted(keys):
        verdict, is_running = draw(st.sampled_from(VERDICTS)), draw(st.booleans())
        reason = draw(st.sampled_from(["", DISKS, "HostDeviceNotLiveMigratable"])) if verdict is REFUSED else ""
        rules = tuple(sorted(draw(st.sets(st.sampled_from(RULES)))))
        strategy = draw(st.sampled_from(["", "None", "LiveMigrate"]))
        vms.append(vm(namespace, name, verdict, *rules, reason=reason, is_running=is_running, strategy=strategy))
        if is_running:
            nodes[draw(st.sampled_from(NODES))].append((namespace, name, draw(st.sampled_from(Outcome))))
    plans = [NodePlan(name, Outcome.MOVES, tuple(machine(*key) for key in members)) for name, members in nodes.items()]
    return State("1", "test", "1.9", "strict", tuple(vms), drains=drains(*plans))


def outcome_of(state: State, one: VM) -> str:
    return next((m.outcome for _, m in [state.drained().get((one.namespace, one.name), ("", None))] if m), "none")


CHOICES: dict[str, tuple[st.SearchStrategy[str], Callable[[State, VM, str], bool]]] = {
    "q": (
        st.sampled_from(["BLUE", "vm-1", "/vm-2", "blue 1", "nothing"]),
        lambda _, one, value: all(word in f"{one.namespace}/{one.name}" for word in value.lower().split()),
    ),
    "verdict": (st.sampled_from(VERDICTS), lambda _, one, value: one.migratability == value),
    "reason": (st.sampled_from(["none", DISKS]), lambda _, one, value: (one.reason or "none") == value),
    "rule": (st.sampled_from(RULES), lambda _, one, value: value in one.rules),
    "namespace": (st.sampled_from(["blue", "green"]), lambda _, one, value: one.namespace == value),
    "running": (st.sampled_from(["yes", "no"]), lambda _, one, value: one.is_running == (value == "yes")),
    "node": (
        st.sampled_from(["node-a", "node-z"]),
        lambda state, one, value: state.drained().get((one.namespace, one.name), ("",))[0] == value,
    ),
    "drain": (st.sampled_from(["none", *Outcome]), lambda state, one, value: outcome_of(state, one) == value),
}


@given(
    state=states(), chosen=st.fixed_dictionaries({}, optional={name: values for name, (values, _) in CHOICES.items()})
)
def test_filters_choose_what_they_name(state: State, chosen: dict[str, str]) -> None:
    """
    All filters together, in the order of namespace and name.
    """
    shown = get("/vms", tuple(chosen.items()), source=Fixed(state))

    expected = [one for one in state.vms if all(CHOICES[name][1](state, one, value) for name, value in chosen.items())]
    assert shown.rows == [f"{one.namespace}/{one.name}" for one in expected]
    total = f"{len(state.vms)} {'VM' if len(state.vms) == 1 else 'VMs'}"
    assert (total if len(expected) == len(state.vms) else f"{len(expected)} of {total}") in shown.text


COLUMNS: dict[str, Callable[[State, VM], object]] = {
    "vm": lambda _, one: (one.namespace, one.name),
    "verdict": lambda _, one: (REFUSED, UNPROVEN, MIGRATABLE).index(one.migratability),
    "reason": lambda _, one: (not one.reason, one.reason),
    "findings": lambda _, one: (not one.rules, one.rules),
    "strategy": lambda _, one: (not one.strategy, one.strategy),
    "running": lambda _, one: not one.is_running,
    "node": lambda state, one: (not one.is_running, state.drained().get((one.namespace, one.name), ("",))[0]),
    "drain": lambda state, one: ("blocks", "waits", "unknown", "stops", "moves", "none").index(outcome_of(state, one)),
}


@given(state=states(), column=st.sampled_from(sorted(COLUMNS)), is_down=st.booleans())
def test_each_column_sorts(state: State, column: str, is_down: bool) -> None:
    """
    Both ways. The most severe first, and empty values last. Equal rows keep the order of namespace and name.
    """
    shown = get("/vms", (("sort", f"{'-' * is_down}{column}"),), source=Fixed(state))

    expected = sorted(state.vms, key=lambda one: COLUMNS[column](state, one), reverse=is_down)  # type: ignore[arg-type,return-value]
    assert shown.rows == [f"{one.namespace}/{one.name}" for one in expected]


def test_a_name_is_built_once_for_each_search() -> None:
    """
    An address has room for 1,000 words, and a cluster for 100,000 VMs.
    """
    read = []

    class Counted:
        namespace = "red"

        @property
        def name(self) -> str:
            read.append("name")
            return "web-1"

    row = vm_rows.Row(cast("VM", Counted()))

    assert vm_rows.chosen([row], Parameters([("q", "web 1 / " * 200)], {"q": anything}), STATE) == [row]
    assert vm_rows.chosen([row], Parameters([("q", "web 2")], {"q": anything}), STATE) == []
    assert len(read) == 2


def test_the_pages_of_the_list_are_the_whole_list() -> None:
    """
    Each VM once. A page behind the last one is the last one.
    """
    state = State("1", "test", "1.9", "strict", tuple(vm("blue", f"vm-{number:03}") for number in range(250)))
    source = Fixed(state)

    parts = [get("/vms", (("page", str(number)),), source=source) for number in (1, 2, 3, 4)]

    assert [len(part.rows) for part in parts] == [100, 100, 50, 50]
    assert [*parts[0].rows, *parts[1].rows, *parts[2].rows] == [f"blue/{one.name}" for one in state.vms]
    assert parts[3].rows == parts[2].rows
    assert "Page 3 of 3" in parts[3].text
    assert "/fleet/vms?page=2" in parts[3].links
    assert '<span class="button" aria-disabled="true">Next</span>' in parts[2].main
    assert get("/vms", source=source).rows == parts[0].rows


def test_links_keep_the_filters_and_start_with_the_first_page() -> None:
    """
    Headers sort, and the second time in the other direction. A filter can be removed alone.
    """
    query = (("q", "blue"), ("verdict", "not-migratable"), ("sort", "reason"), ("page", "1"))
    shown = get("/vms", query)

    assert "/fleet/vms?q=blue&verdict=not-migratable&sort=-reason" in shown.links
    assert "/fleet/vms?q=blue&verdict=not-migratable&sort=verdict" in shown.links
    assert "/fleet/vms?verdict=not-migratable&sort=reason" in shown.links
    assert "/fleet/vms?sort=reason" in shown.links
    assert '<th scope="col" aria-sort="ascending">' in shown.main


def test_the_form_keeps_what_it_has_no_field_for() -> None:
    """
    The order, and filters that only links set.
    """
    shown = get("/vms", (("policy", "fast"), ("sort", "-verdict"), ("differs", "yes"), ("page", "1")))

    hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)">', shown.main)
    assert hidden == [("policy", "fast"), ("sort", "-verdict"), ("differs", "yes")]


def test_the_vms_of_a_policy_can_be_listed() -> None:
    """
    Those for which it decides, for which it loses, and for which this is not known.
    """
    assert get("/vms", (("policy", "fast"),)).rows == ["blue/good", "red/good"]
    assert get("/vms", (("loses", "slow"),)).rows == ["blue/good", "red/good"]
    assert get("/vms", (("maybe", "slow"),)).rows == []
    assert get("/vms", (("policy", "none"),)).rows == []


def test_menus_have_the_values_of_visible_vms() -> None:
    """
    And the chosen value, also if no VM has it. Very many namespaces are typed instead.
    """
    few = get("/vms", (("namespace", "gone"),)).main
    assert all(f'<option value="{name}"' in few for name in ("blue", "red", "gone", "node-a"))
    assert '<option value="gone" selected>' in few

    vms = tuple(vm(f"space-{number:03}", "a") for number in range(101))
    many = get("/vms", source=Fixed(State("1", "test", "1.9", "strict", vms))).main
    assert '<input id="by-namespace"' in many


def test_callers_without_nodes_have_no_columns_about_nodes() -> None:
    """
    Nor the filters.
    """
    shown = get("/vms", sight=Sight(nodes=False))

    assert len(shown.rows) == len(STATE.vms)
    assert ("If drained" in shown.text, "node-a" in shown.main, "by-node" in shown.main) == (False, False, False)


def test_vms_without_a_namespace_have_an_address() -> None:
    """
    Files can have such VMs. A hyphen is no name of a namespace.
    """
    source = Fixed(State("1", "test", "1.9", "strict", (vm("", "a b/c"),)))

    assert "/fleet/vms/-/a%20b%2Fc" in get("/vms", source=source).links
    found = get("/vms/-/a b/c", source=Fixed(source.state(), {("", "a b/c"): (audited("", "a b/c"),)}))
    assert (found.status, "a b/c" in found.text) == (200, True)


@pytest.mark.parametrize(
    ("path", "kind", "noun"),
    [
        ("/vms", "VirtualMachine", "VMs"),
        ("", "VirtualMachineInstance", "VMs"),
        ("/policies", "MigrationPolicy", "MigrationPolicies"),
    ],
)
def test_an_unread_kind_is_never_shown_as_absent(path: str, kind: str, noun: str) -> None:
    """
    The sentence in place of the list has the reason. Without an unread kind, it says that there are none.
    """
    empty = State("1", "test", "1.9", "strict")
    unread = replace(empty, unread=(UnreadReport(kind),))

    assert f"There are no {noun}." in get(path, source=Fixed(empty)).text
    shown = get(path, source=Fixed(unread)).text
    assert f"There are no {noun}." not in shown
    assert f"No {noun} can be shown: {kind} was not read (not allowed)." in shown
