"""The rehearsal of a drain as text."""

import pytest
from hypothesis import given
from msgspec.structs import replace

from tests.report.drains import CLEAN, EXAMPLES, FLEET, GPU, ONE, REPORTS, moving, node, restarting
from tests.snapshots.snapshot import snapshot
from webhook.drain.plan import Detail, DrainReport, Machine, Outcome, Seconds, Step
from webhook.report.drain import drain_text
from webhook.report.drain.drain_words import WORDS, duration, groups, located, needs_action, span
from webhook.report.printable import escaped


def squeezed(text: str) -> str:
    """The text without white space, because lines are wrapped."""
    return "".join(text.split())


@given(REPORTS)
def test_the_text_names_each_vmi_that_needs_an_action(report: DrainReport) -> None:
    """
    No VMI that blocks, waits, stays down or is unknown is left out, however many nodes are drained.
    """
    text = squeezed(drain_text.render(report))

    acting = [one.name for one in located(report) if needs_action(one.machine)]
    assert [name for name in acting if squeezed(escaped(name)) not in text] == []


@pytest.mark.parametrize(
    ("mode", "time"),
    [
        ("rolling", "Time: no end; without the VMIs that hold it up, 110 s to 32 min."),
        ("together", "Time: no end; without the VMIs that hold it up, 70 s to 20 min."),
    ],
)
def test_a_drain_without_end_has_the_time_of_the_other_vmis(mode: str, time: str) -> None:
    """
    A maintenance is planned with it, because somebody corrects the others before.
    """
    stuck = replace(node("n1", GPU, moving("a", "n2")), seconds_without=Seconds(40, 700))
    ends = node("n2", moving("b", "n1"), seconds=Seconds(70, 1200))

    assert time in drain_text.render(DrainReport((stuck, ends), mode))
    assert "Time: no end; without the VMIs that hold it up, 40 s to 12 min. " in drain_text.render(
        DrainReport((stuck,))
    )


def test_a_rolling_drain_counts_evictions_if_a_vmi_is_evicted_twice() -> None:
    """
    More evictions than VMIs are no contradiction.
    """
    nodes = (node("n1", moving("a", "n2"), GPU), node("n2", moving("a", "n1")))

    assert "3 evictions of 2 VMIs: 2 move, 1 blocks." in drain_text.render(DrainReport(nodes, "rolling"))
    assert "3 VMIs: 2 move, 1 blocks." in drain_text.render(DrainReport(nodes, "each"))


@pytest.mark.parametrize("others", [0, 1])
def test_a_remedy_that_is_a_first_step_is_not_repeated(others: int) -> None:
    """
    In the report of one node and of several nodes. Only a whole remedy is the same.
    """
    first = (
        Step("ci/a: Restart the VM.", ("ci/a",), ("n1",)),
        Step(f"ml/trainer: {GPU.remedy}", ("ml/trainer",), ("n1",)),
    )
    longer = replace(GPU, name="b", detail=Detail.BUDGET, remedy="Change the budget. Restart the VM.")
    nodes = (node("n1", GPU, longer), *[node("n2", moving("web", "n1"))] * others)

    text = drain_text.render(DrainReport(nodes, first=first))

    assert text.count(GPU.remedy) == 1
    assert "    fix: step 2 above\n" in text
    assert "    fix: Change the budget. Restart the VM.\n" in text


def test_the_text_for_several_nodes_names_vms_that_restart() -> None:
    """
    At most ten of them, because they need no action. Their owners have a downtime.
    """
    one = replace(CLEAN.nodes[0], name="n1", machines=(restarting("c1", "n2"),))
    many = replace(one, name="n2", machines=tuple(restarting(f"c{at}", "n1") for at in range(12)))

    short = drain_text.render(replace(CLEAN, nodes=(one, replace(one, name="n2", machines=())), first=()))
    long = drain_text.render(replace(CLEAN, nodes=(many, replace(one, machines=())), first=()))

    assert "\n\nstops (starts again on another node): build/c1 (n1)\n" in short
    assert "build/c9 (n2) and 2 more" in " ".join(long.split())


@given(REPORTS)
def test_the_text_of_a_drain_has_no_control_characters(report: DrainReport) -> None:
    """
    Names and messages cannot move the cursor, change colours or hide text.
    """
    text = drain_text.render(report)

    assert text.endswith("\n")
    assert text.replace("\n", "").isprintable()


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_text_of_a_drain_is_as_recorded(name: str) -> None:
    """
    The text for one node, several nodes, a rolling drain and a node without problems.
    """
    text = drain_text.render(EXAMPLES[name])

    assert text == snapshot(f"report/drain-{name}.txt", text)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_text_for_six_nodes_with_thirty_vmis_fits_one_screen(name: str) -> None:
    """
    At most 50 lines of at most 120 columns.
    """
    lines = drain_text.render(EXAMPLES[name]).splitlines()

    assert len(lines) <= 50
    assert max(map(len, lines)) <= 120


def test_a_fleet_where_every_vmi_has_its_own_remedy_fits_one_screen() -> None:
    """
    If reasons and remedies take too much room, the text has one remedy for each outcome. All VMIs are still named.
    """
    nodes = [
        node(f"n{at}", *(replace(GPU, name=f"vm-{at}-{of}", remedy=f"Do {at}{of}.") for of in range(5)))
        for at in range(6)
    ]

    text = drain_text.render(replace(FLEET, nodes=tuple(nodes)))

    assert len(text.splitlines()) <= 50
    assert text.count("fix: ") == 1
    assert all(f"ml/vm-{at}-{of} (n{at})" in text for at in range(6) for of in range(5))


def test_at_most_three_steps_are_first() -> None:
    """
    The text shows three steps, also if the report has more.
    """
    text = drain_text.render(FLEET)

    assert FLEET.first[2].text in text
    assert FLEET.first[3].text not in text


def test_remedies_that_differ_in_the_name_of_the_vmi_are_one_group() -> None:
    """
    The command is shown once, with NAME and NAMESPACE in place of the names.
    """
    machines = [
        Machine("a", name, Outcome.BLOCKS, Detail.MARKED, remedy=f"Run virtctl migrate {name} -n a.") for name in "xy"
    ]

    found = groups(located(replace(CLEAN, nodes=(node("n1", *machines),))))

    assert [(group.remedy, len(group.members)) for group in found] == [("Run virtctl migrate NAME -n NAMESPACE.", 2)]


def test_the_only_node_for_a_vmi_is_named() -> None:
    """
    A VMI that fits one node only depends on it, so the text says which.
    """
    assert "shop/a1, shop/a2 (only n2)." in drain_text.render(ONE)


def test_a_remark_on_a_vmi_that_moves_is_shown() -> None:
    """
    A message of a VMI that moves is a note, and no action.
    """
    machine = replace(moving("a", "n2"), message="The VMI is already marked for evacuation.")

    text = drain_text.render(replace(CLEAN, nodes=(node("n1", machine),)))

    assert "note: shop/a (only n2): The VMI is already marked for evacuation." in text


def test_a_long_table_has_only_nodes_that_need_an_action() -> None:
    """
    With more than 30 nodes, nodes on which every VMI moves or restarts are counted.
    """
    nodes = [node("bad", GPU), *(node(f"good-{at}", moving("a", "n2")) for at in range(40))]

    text = drain_text.render(replace(FLEET, nodes=tuple(nodes)))

    assert "good-" not in text
    assert "and 40 nodes on which every VMI moves or restarts" in text


def test_a_long_node_name_has_a_line_of_its_own() -> None:
    """
    The name is not cut, and the columns stay within the screen.
    """
    name = "ip-" + "x" * 90 + ".example.org"

    lines = drain_text.render(replace(FLEET, nodes=(node(name, moving("a", "n2")), node("n2")))).splitlines()

    assert name in lines
    assert max(map(len, lines)) <= 120


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (Seconds(0, 0), "0 s"),
        (Seconds(45, 119), "45 s to 119 s"),
        (Seconds(90, 121), "90 s to 3 min"),
        (Seconds(120, 7199), "2 min to 2 h"),
        (Seconds(7200, 9000), "2 h to 2 h 30 min"),
        (Seconds(60), "60 s or more"),
    ],
)
def test_a_time_is_a_range_in_units_that_people_use(seconds: Seconds, expected: str) -> None:
    """
    Seconds below two minutes, minutes below two hours, and then hours. A time without a limit says so.
    """
    assert span(seconds) == expected


def test_minutes_are_rounded_up() -> None:
    """
    A drain is never shown as shorter than it is.
    """
    assert duration(181) == "4 min"


def test_each_detail_has_words() -> None:
    """
    A detail that is added to the report also needs words for people.
    """
    assert set(WORDS) == set(Detail)
