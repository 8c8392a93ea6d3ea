"""The summary of an audit, and its groups."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.report.answers import NASTY
from tests.report.audits import (
    DISAGREEMENT,
    SMALL_AUDIT,
    audit_report,
    bridge,
    drain_blocked,
    live,
    not_shared,
    quoted_number,
    unproven,
)
from tests.report.reports import EXEMPTED
from tests.snapshots.snapshot import snapshot
from webhook.report import markdown
from webhook.report.audit_remarks import INCOMPLETE, MOST_DISAGREEMENTS
from webhook.report.audited import AuditReport
from webhook.report.grouping import GROUPINGS, grouped, machines_of
from webhook.report.groups import MOST_GROUPS, render
from webhook.report.model import ObjectReport


@pytest.mark.parametrize("by", GROUPINGS)
def test_a_summary_reads_as_recorded(by: str) -> None:
    """
    A summary has the number of VMs by verdict, groups with remedies and commands, disagreements, unread kinds and next steps.
    """
    shown = render(SMALL_AUDIT, by=by)

    assert shown == snapshot(f"report/audit.{by}.txt", shown)


def test_a_clean_cluster_has_no_groups_and_no_next_steps() -> None:
    """
    A cluster without findings gives three lines.
    """
    assert render(audit_report(live("good", True))) == (
        "1 VM: 1 can be live-migrated, 0 cannot, 0 unproven\n"
        "KubeVirt 1.9, profile strict, all namespaces\n"
        "\n"
        "nothing found in 1 object\n"
    )


def test_a_vm_and_its_vmi_count_once() -> None:
    """
    A VMI in the report counts as the VM of the same name, with the verdict about the VM.
    """
    vmi = live("web", False, not_shared("os"), kind="VirtualMachineInstance")
    alone = live("alone", None, kind="VirtualMachineInstance")
    report = audit_report(live("web", True, not_shared("os")), vmi, alone)

    machines = machines_of(report)

    assert (machines.migratable, machines.refused, machines.unproven) == (1, 0, 1)
    assert [len(group.members) for group in grouped(report, "reason")] == [1]


@pytest.mark.parametrize("by", GROUPINGS)
def test_exempted_findings_are_in_no_group(by: str) -> None:
    """
    An exempted finding is counted in the last line only.
    """
    shown = render(audit_report(live("web", False, EXEMPTED)), by=by)

    assert EXEMPTED.rule not in shown
    assert shown.endswith("1 exempted in 1 object\n")


@pytest.mark.parametrize("by", GROUPINGS)
def test_a_large_cluster_gives_a_text_that_can_be_read(by: str) -> None:
    """
    The summary of 10,000 VMs in 500 namespaces, all with findings, has at most 200 lines and all counts.
    """
    objects = [
        live(f"vm-{at}", False, not_shared(f"os-{at}"), drain_blocked(), namespace=f"ns-{at % 500}")
        for at in range(10_000)
    ]

    lines = render(audit_report(*objects), by=by).splitlines()

    assert lines[0] == "10000 VMs: 0 can be live-migrated, 10000 cannot, 0 unproven"
    assert lines[-1] == "10000 denied, 10000 warnings in 10000 objects"
    assert len(lines) <= 200
    assert ("and 460 namespaces more" in "\n".join(lines)) is (by == "namespace")
    assert 500 - MOST_GROUPS == 460


def test_remedies_that_differ_only_in_names_are_one_group() -> None:
    """
    The remedy is shown once, with the name of the VM that it is for.
    """
    report = audit_report(live("one", None, unproven("a")), live("two", None, unproven("b")))

    assert [group.title for group in grouped(report, "remedy")] == ["grant get on PVC '…'"]
    shown = render(report)
    assert "to settle it: grant get on PVC 'a'. (This is for tenant/one.)" in shown
    assert "'b'" not in shown


def test_the_strongest_findings_come_first() -> None:
    """
    Denied findings come before warnings, and warnings before unproven results, whatever their number.
    """
    report = audit_report(
        live("a", None, unproven("a")),
        live("b", None, unproven("b")),
        live("c", False, drain_blocked()),
        live("d", False, bridge()),
    )

    assert [group.title for group in grouped(report, "reason")] == [
        "InterfaceNotLiveMigratable",
        "LM501 drain-blocked",
        "DisksNotLiveMigratable (unproven)",
    ]


def test_many_disagreements_are_counted() -> None:
    """
    The summary shows the first disagreements, and the number of all of them.
    """
    differing = [
        type(DISAGREEMENT)(
            "tenant", f"vm-{at}", *(getattr(DISAGREEMENT, name) for name in ("condition", "observed", "verdict"))
        )
        for at in range(MOST_DISAGREEMENTS + 5)
    ]

    shown = render(audit_report(live("good", True), disagreements=differing))

    assert "KubeVirt's condition differs from the verdict: 15 VMs" in shown
    assert "\n  and 5 more\n" in shown


@pytest.mark.parametrize("by", GROUPINGS)
def test_hostile_names_get_no_commands(by: str) -> None:
    """
    An object whose name no API server accepts has findings, but no command to copy.
    """
    report = audit_report(live("-rf", False, bridge()), live(NASTY.encode("ascii", "ignore").decode(), False, bridge()))

    assert "kubectl" not in render(report, by=by)


def test_colours_change_only_colours() -> None:
    """
    Without its escape sequences, the coloured text is the plain text.
    """
    coloured = render(SMALL_AUDIT, colour=True)

    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == render(SMALL_AUDIT)


OBJECTS = st.builds(
    lambda name, namespace, findings: live(name, False, *findings, namespace=namespace),
    st.sampled_from("abcdef"),
    st.sampled_from(["", "one", "two", "three"]),
    st.lists(st.sampled_from([bridge(), not_shared("x"), unproven("y"), drain_blocked(), EXEMPTED]), max_size=4),
)


def distinct(objects: list[ObjectReport]) -> AuditReport:
    return audit_report(*{(judged.namespace, judged.name): judged for judged in objects}.values())


@given(st.lists(OBJECTS), st.sampled_from(GROUPINGS))
def test_each_finding_is_in_one_group(objects: list[ObjectReport], by: str) -> None:
    """
    For every grouping, the objects of all groups are the objects with findings that are not exempted.
    """
    report = distinct(objects)
    wanted = {
        (judged.namespace, judged.name, finding.rule, finding.outcome)
        for judged in report.objects
        for finding in judged.findings
        if finding.exemption is None
    }

    shown = [
        (judged.namespace, judged.name, part.finding.rule, part.finding.outcome)
        for group in grouped(report, by)
        for part in group.parts.values()
        for judged in part.members.values()
    ]

    assert sorted(shown) == sorted(wanted)


def test_the_next_steps_name_a_vm() -> None:
    """
    ``explain`` is for VMs, so the command names neither a pool nor a CR, also if their findings come first.
    """
    cr = live("kubevirt", None, quoted_number(), namespace="kubevirt", kind="KubeVirt")
    pool = live("pool", False, bridge(), kind="VirtualMachinePool", version="pool.kubevirt.io/v1beta1")
    of_all = "\n  migratable audit -o text "

    with_vm = render(audit_report(cr, pool, live("web", False, drain_blocked(), namespace="shop")))
    without = render(audit_report(cr, pool))

    assert "\n  migratable audit -n shop -o text " in with_vm
    assert "\n  migratable explain vm/web -n shop " in with_vm
    assert of_all in without
    assert "explain" not in without


def test_an_incomplete_audit_says_so_at_the_top() -> None:
    """
    Without the objects that could not be listed, the counts look better than the cluster is.
    """
    report = replace(audit_report(live("good", True)), is_incomplete=True)

    assert render(report).splitlines()[2] == INCOMPLETE
    assert f"**{INCOMPLETE}**" in markdown.render(report)
