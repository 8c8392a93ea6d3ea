"""The baseline of an audit, when some of the cluster is unknown."""

from msgspec.structs import replace

from tests.report.audits import audit_report, live, not_shared
from webhook.report.audit_baseline import exempt, new_only
from webhook.report.baseline import of_report

KNOWN = of_report(audit_report(live("web", False, not_shared("os")), live("fast", None, kind="MigrationPolicy")))


def test_no_entry_is_fixed_if_objects_could_not_be_listed() -> None:
    """
    The VM of the entry is missing from the report, but it may still exist.
    """
    report = audit_report()

    assert len(exempt(report, KNOWN, "known.yaml", lambda _: True).notes) == 1
    assert not exempt(replace(report, is_incomplete=True), KNOWN, "known.yaml", lambda _: True).notes


def test_a_baseline_of_manifests_applies_to_the_cluster() -> None:
    """
    A finding about a manifest is known in the cluster too, because its fingerprint has no file.
    """
    manifests = audit_report(live("web", False, not_shared("os")))
    entry = replace(of_report(manifests).findings[0], file="vms/web.yaml")

    report = exempt(manifests, replace(KNOWN, findings=[entry]), "known.yaml", lambda _: True)

    assert report.summary.exempted == 1
    assert not new_only(report).objects[0].findings
    assert new_only(report).objects[0].verdict == manifests.objects[0].verdict
