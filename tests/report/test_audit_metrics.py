"""The metrics of an audit."""

import random
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from tests.report.reports import EXEMPTED, NOT_SHARED, NOT_SHOWN, verdict, vm
from webhook.report import audit_metrics
from webhook.report.audit_metrics import OTHERS, Counts, Progress, render_all, render_audit
from webhook.report.audited import Audit, Audited, AuditReport, ConditionReport, DisagreementReport, UnreadReport
from webhook.report.metrics_text import Family, render
from webhook.report.model import ObjectReport, SummaryReport

Sample = tuple[str, frozenset[tuple[str, str]]]
READY = Progress(audited_at=1.5)

NO_RWX = "DisksNotLiveMigratable"
WEB = vm("web", verdict(False, NO_RWX), NOT_SHARED, NOT_SHOWN)
SETTINGS = ObjectReport("kubevirt.io/v1", "KubeVirt", "", "kubevirt", None, None, [EXEMPTED])


def machine(report: ObjectReport = WEB, strategy: str = "LiveMigrate", *, runs: bool = True) -> Audited:
    return Audited(report, "uid", is_machine=True, is_running=runs, eviction_strategy=strategy)


def samples(text: str) -> dict[Sample, float]:
    """The samples that prometheus_client reads from the text."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(text: str, name: str, **labels: str) -> float | None:
    return samples(text).get((name, frozenset(labels.items())))


def rendered(objects: Iterable[Audited]) -> str:
    return render_all(Counts(objects), READY)


def test_vms_are_counted_by_namespace_verdict_and_reason() -> None:
    """
    The reason is KubeVirt's own.
    """
    text = rendered([machine(), machine(vm("db", verdict(True))), machine(vm("ci", verdict(None))), machine(WEB)])

    assert value(text, "migratable_vms", namespace="tenant", verdict="not-migratable", reason=NO_RWX) == 2
    assert value(text, "migratable_vms", namespace="tenant", verdict="migratable", reason="") == 1
    assert value(text, "migratable_vms", namespace="tenant", verdict="unproven", reason="") == 1


def test_a_vm_without_a_verdict_is_unproven() -> None:
    """
    It is never counted as migratable.
    """
    text = rendered([machine(vm("web", None))])

    assert value(text, "migratable_vms", namespace="tenant", verdict="unproven", reason="") == 1


def test_only_vms_count_as_vms() -> None:
    """
    A pool or a VMI of a VM is judged, and not counted twice.
    """
    text = rendered([Audited(WEB), Audited(SETTINGS)])

    assert "migratable_vms" not in text
    assert value(text, "migratable_audited_objects", kind="VirtualMachine") == 1
    assert value(text, "migratable_audited_objects", kind="KubeVirt") == 1


def test_findings_are_counted_by_namespace_rule_and_action() -> None:
    """
    A cluster-scoped object has an empty namespace.
    """
    text = rendered([machine(), Audited(SETTINGS)])

    assert value(text, "migratable_findings", namespace="tenant", rule="LM201", action="deny") == 1
    assert value(text, "migratable_findings", namespace="tenant", rule="LM201", action="warn") == 1
    assert value(text, "migratable_findings", namespace="", rule="LM302", action="audit") == 1


def test_vms_are_counted_by_eviction_strategy() -> None:
    """
    An unknown strategy is counted too.
    """
    text = rendered([machine(), machine(strategy="", runs=False)])

    assert value(
        text, "migratable_vms_by_eviction_strategy", strategy="LiveMigrate", verdict="not-migratable", running="true"
    )
    assert value(
        text, "migratable_vms_by_eviction_strategy", strategy="unknown", verdict="not-migratable", running="false"
    )


def test_disagreements_are_counted_from_zero() -> None:
    """
    An alert sees the first one.
    """
    differing = DisagreementReport("tenant", "web", "LiveMigratable", ConditionReport(True), ConditionReport(False))

    none, one = rendered([]), rendered([Audited(WEB, disagreements=(differing,))])

    assert value(none, "migratable_verdict_disagreements", condition="LiveMigratable") == 0
    assert value(one, "migratable_verdict_disagreements", condition="LiveMigratable") == 1
    assert value(one, "migratable_verdict_disagreements", condition="StorageLiveMigratable") == 0


def test_nothing_is_counted_before_the_first_complete_audit() -> None:
    """
    Half of the VMs would look like a cluster with few problems.
    """
    text = render_all(Counts([machine()]), Progress(is_leader=True))

    assert set(samples(text)) == {("migratable_audit_leader", frozenset())}


def test_progress_is_exported() -> None:
    """
    Times, unread kinds, the leader and the writes of reports.
    """
    text = render_all(Counts(), Progress(1e9, 2.5, 1, 2, False, {"written": 3, "failed": 0}, 4))

    assert value(text, "migratable_audit_timestamp_seconds") == 1e9
    assert value(text, "migratable_audit_age_seconds") == 2.5
    assert value(text, "migratable_audit_unreadable_objects") == 1
    assert value(text, "migratable_audit_unread_kinds") == 2
    assert value(text, "migratable_audit_leader") == 0
    assert value(text, "migratable_audit_report_writes_total", result="written") == 3
    assert value(text, "migratable_audit_report_writes_total", result="failed") == 0
    assert value(text, "migratable_audit_pending_reports") == 4


def test_one_audit_has_its_time_and_no_age() -> None:
    """
    The age of a text that is not rendered again would stay at zero.
    """
    report = AuditReport(
        "migratable/v1",
        "strict",
        "any",
        [WEB],
        [],
        [],
        SummaryReport(1, 1, 0, 0, 0, 0, 0),
        unread=(UnreadReport("Pod"),),
    )

    text = render_audit(Audit(report, (machine(),)), 1700000000.25)

    assert value(text, "migratable_audit_timestamp_seconds") == 1700000000.25
    assert value(text, "migratable_audit_unread_kinds") == 1
    assert value(text, "migratable_vms", namespace="tenant", verdict="not-migratable", reason=NO_RWX) == 1
    assert "migratable_audit_age_seconds" not in text


def test_no_name_of_a_vm_is_a_label() -> None:
    """
    Names would make a series for each VM.
    """
    canary = vm("canary-4711", verdict(False, NO_RWX), NOT_SHARED)

    assert "canary-4711" not in rendered([machine(canary)])


verdicts = st.sampled_from([verdict(True), verdict(False, NO_RWX), verdict(None), None])
objects = st.lists(
    st.builds(
        lambda namespace, judged, findings, is_machine: Audited(
            ObjectReport("kubevirt.io/v1", "VirtualMachine", namespace, "web", None, judged, findings),
            is_machine=is_machine,
        ),
        st.sampled_from(["", "a", "b", "c", "d"]),
        verdicts,
        st.lists(st.sampled_from([NOT_SHARED, NOT_SHOWN, EXEMPTED]), max_size=3),
        st.booleans(),
    ),
    max_size=12,
)


@given(objects, objects, st.randoms(use_true_random=False))
def test_removed_objects_leave_nothing(kept: list[Audited], removed: list[Audited], order: random.Random) -> None:
    """
    The series of a deleted namespace disappear, in whatever order its objects come and go.
    """
    counts = Counts([*kept, *removed])
    order.shuffle(removed)
    for audited in removed:
        counts.remove(audited)

    assert render_all(counts, READY) == rendered(kept)


@given(objects, st.randoms(use_true_random=False))
def test_namespaces_beyond_the_limit_are_counted_together(audited: list[Audited], order: random.Random) -> None:
    """
    The totals stay, and the order of the objects never decides.
    """
    shuffled = order.sample(audited, len(audited))
    whole = rendered(audited)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audit_metrics, "MOST_NAMESPACES", 2)
        folded = rendered(audited)
        again = rendered(shuffled)

    names = {labels["namespace"] for _, labels in map(_labels, samples(folded)) if "namespace" in labels}
    assert len(names - {"", OTHERS}) <= 2
    assert folded == again
    assert _totals(whole) == _totals(folded)


def test_namespaces_with_vms_that_cannot_be_migrated_keep_their_series(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A dashboard shows the namespaces with most of them.
    """
    monkeypatch.setattr(audit_metrics, "MOST_NAMESPACES", 1)
    good = ObjectReport("kubevirt.io/v1", "VirtualMachine", "a", "web", None, verdict(True), [EXEMPTED] * 3)

    text = rendered([machine(good), machine(good), machine(WEB)])

    assert value(text, "migratable_vms", namespace="tenant", verdict="not-migratable", reason=NO_RWX) == 1
    assert value(text, "migratable_vms", namespace=OTHERS, verdict="migratable", reason="") == 2


def test_label_values_and_help_are_escaped() -> None:
    r"""
    Quotes, backslashes and newlines.
    """
    text = render([Family("migratable_test", 'a\nb\\c"d', ("rule",), {('a\nb\\c"d',): 1})])

    assert text.splitlines() == [
        r'# HELP migratable_test a\nb\\c"d',
        "# TYPE migratable_test gauge",
        r'migratable_test{rule="a\nb\\c\"d"} 1',
    ]


@given(st.text(st.sampled_from('ab\\n\n"{},= ')))
def test_label_values_are_read_as_written(label: str) -> None:
    """
    By Prometheus's own client.
    """
    line = render([Family("migratable_test", "A test.", ("rule",), {(label,): 1})])

    assert samples(line) == {("migratable_test", frozenset({("rule", label)})): 1}


def _labels(sample: Sample) -> tuple[str, dict[str, str]]:
    return sample[0], dict(sample[1])


def _totals(text: str) -> dict[Sample, float]:
    """The values without the label namespace."""
    totals: dict[Sample, float] = {}
    for (name, labels), number in samples(text).items():
        key = name, frozenset(pair for pair in labels if pair[0] != "namespace")
        totals[key] = totals.get(key, 0) + number
    return totals
