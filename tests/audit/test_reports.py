"""The changes of reports that follow from an audit."""

from typing import Any

import pytest
from msgspec.structs import replace

from tests.audit import clusters
from tests.audit.reported import FAILS, audit_of, audited, existing
from tests.report.reports import EXEMPTED, NOT_SHOWN
from webhook.audit.reports import (
    CLUSTER_PLACE,
    Change,
    Place,
    coverage_of,
    plan,
    wanted_reports,
)
from webhook.audit.scope import shard_of
from webhook.objects.report_kinds import OPENREPORTS, POLICYREPORTS, Existing
from webhook.report.audited import Audit, Audited, Shard, UnreadReport
from webhook.report.report_objects import NAMES_TENANTS, own_report

WEB = audited("web", FAILS)
CLEAN = audited("web")


def late(kind: str) -> UnreadReport:
    return UnreadReport(kind, "", f"the API server did not return {kind}s in time", is_refused=False)


def place_of(judged: Audited) -> Place:
    report = own_report(judged, "strict")
    return report.namespace, report.name


def up_to_date(judged: Audited) -> Existing:
    return existing(place_of(judged), own_report(judged, "strict").fingerprint(OPENREPORTS))


def document_of(change: Change) -> dict[str, Any]:
    assert change.wanted is not None
    return change.wanted.document(OPENREPORTS)


def planned(audit: Audit, *stored: Existing) -> list[Change]:
    return list(plan(stored, audit, OPENREPORTS).changes)


def test_an_object_with_findings_gets_a_report() -> None:
    """Objects without findings get none."""
    (change,) = planned(audit_of(WEB, audited("clean"), audited("exempt", EXEMPTED)))

    assert change.place == place_of(WEB)
    assert change.wanted is not None


def test_a_report_with_the_same_fingerprint_is_not_written() -> None:
    """The second run on an unchanged cluster writes nothing."""
    assert planned(audit_of(WEB), up_to_date(WEB)) == []


@pytest.mark.parametrize(
    "changed",
    [replace(WEB, uid="recreated"), audited("web", FAILS, FAILS), audited("web", replace(FAILS, message="other"))],
)
def test_a_changed_object_has_its_report_written(changed: Audited) -> None:
    """Also if only the uid of the object changed: the report would otherwise be garbage."""
    (change,) = planned(audit_of(changed), up_to_date(WEB))

    assert change.wanted is not None
    assert not change.delete


def test_the_report_of_a_clean_object_is_deleted() -> None:
    """Also if all findings are exempted now."""
    stored = up_to_date(WEB)

    assert planned(audit_of(CLEAN), stored) == [Change(place_of(WEB), delete=(stored,))]
    assert planned(audit_of(audited("web", EXEMPTED)), stored) == [Change(place_of(WEB), delete=(stored,))]


def test_the_report_of_an_object_that_is_gone_is_deleted() -> None:
    """The garbage collector does the same, but only for an object that it saw."""
    stored = up_to_date(WEB)

    assert planned(audit_of(), stored) == [Change(place_of(WEB), delete=(stored,))]


@pytest.mark.parametrize(
    "audit",
    [
        audit_of(namespaces=("other",)),
        audit_of(shard=Shard(3 - shard_of("tenant", 2), 2)),
        audit_of(unread=(late("VirtualMachine"),)),
        audit_of(unreadable=("VirtualMachine tenant/web",)),
    ],
    ids=["another namespace", "another shard", "kind not read", "object not readable"],
)
def test_the_report_of_an_object_that_was_not_judged_stays(audit: Audit) -> None:
    """The object may exist, with the same findings."""
    assert planned(audit, up_to_date(WEB)) == []


def test_a_kind_that_is_not_read_keeps_no_report_of_other_kinds() -> None:
    """Each report names the kind of its object."""
    stored = existing(("tenant", "migratable-1"), owner=("VirtualMachineInstance", "web"))

    assert planned(audit_of(unread=(late("VirtualMachine"),)), stored) == [
        Change(stored_place(stored), delete=(stored,))
    ]


def stored_place(stored: Existing) -> Place:
    return stored.namespace, stored.name


def test_a_report_in_the_other_api_group_is_deleted_after_the_new_one_is_written() -> None:
    """No object has a report of each kind."""
    old = replace(up_to_date(WEB), api=POLICYREPORTS)

    (change,) = planned(audit_of(WEB), old)

    assert document_of(change)["kind"] == "Report"
    assert change.delete == (old,)


def test_a_report_that_a_user_applied_is_not_deleted() -> None:
    """``migratable check -o openreports`` makes reports without a fingerprint, also about clean objects."""
    assert planned(audit_of(CLEAN), replace(up_to_date(WEB), fingerprint="")) == []


def test_settings_policies_and_the_network_of_migrations_share_one_report() -> None:
    """A network in a namespace of a tenant has a report of its own."""
    objects = (
        audited("kubevirt", FAILS, namespace="kubevirt", kind="KubeVirt"),
        audited("fast", FAILS, namespace="", kind="MigrationPolicy"),
        audited("migration", FAILS, namespace="kubevirt", kind="NetworkAttachmentDefinition"),
        audited("blue", FAILS, kind="NetworkAttachmentDefinition"),
    )

    found = {change.place: change for change in planned(audit_of(*objects))}

    assert found.keys() == {CLUSTER_PLACE, place_of(objects[3])}
    document = document_of(found[CLUSTER_PLACE])
    assert document["kind"] == "ClusterReport"
    assert [result["resources"][0]["name"] for result in document["results"]] == ["kubevirt", "fast", "migration"]


def test_the_report_of_the_cluster_is_deleted_when_the_settings_are_sound() -> None:
    """It has no owner that could be deleted."""
    stored = existing(CLUSTER_PLACE, owner=("", ""))

    assert planned(audit_of(), stored) == [Change(CLUSTER_PLACE, delete=(stored,))]


@pytest.mark.parametrize("audit", [audit_of(namespaces=("kubevirt",)), audit_of(shard=Shard(2, 2))])
def test_only_a_run_that_covers_the_cluster_changes_the_report_of_the_cluster(audit: Audit) -> None:
    """With ``--shard``, it belongs to the first shard."""
    kubevirt = audited("kubevirt", FAILS, namespace="kubevirt", kind="KubeVirt")

    assert planned(audit, existing(CLUSTER_PLACE, owner=("", ""))) == []
    assert planned(Audit(audit.report, (kubevirt,))) == []


def test_a_report_of_the_cluster_with_another_name_is_left_alone() -> None:
    """Its object is unknown."""
    assert planned(audit_of(), existing(("", "migratable-other"), owner=("", ""))) == []


def test_a_namespace_that_is_not_read_keeps_only_its_own_reports() -> None:
    """The objects of the other namespace were listed."""
    stored = up_to_date(WEB)
    namespace = WEB.report.namespace

    assert planned(audit_of(unread=(UnreadReport("VirtualMachine", namespace),)), stored) == []
    assert len(planned(audit_of(unread=(UnreadReport("VirtualMachine", "elsewhere"),)), stored)) == 1


def test_a_report_without_an_owner_stays_while_a_kind_is_not_read() -> None:
    """Its object can be of that kind."""
    stored = existing(("tenant", "migratable-1"), owner=("", ""))

    assert planned(audit_of(unread=(UnreadReport("VirtualMachine"),)), stored) == []
    assert planned(audit_of(), stored) == [Change(stored_place(stored), delete=(stored,))]


def test_settings_that_may_not_be_read_are_unknown_in_the_report_of_the_cluster() -> None:
    """An absent report would say that they are sound."""
    (change,) = planned(audit_of(unread=(UnreadReport("MigrationPolicy"),)))

    assert document_of(change)["summary"] == {"error": 1}
    assert "MigrationPolicy: not allowed" in str(document_of(change)["results"])


LATE = (late("PersistentVolumeClaim"),)


@pytest.mark.parametrize("stored", [(), (existing(place_of(WEB)),)], ids=["without a report", "with a report"])
def test_results_that_are_unknown_for_a_while_are_not_written(stored: tuple[Existing, ...]) -> None:
    """A short outage would otherwise write a report about each VM, and the next audit would delete it."""
    unknown = audited("web", FAILS, NOT_SHOWN)

    interrupted = plan(stored, audit_of(unknown, unread=LATE), OPENREPORTS)
    forbidden = plan(stored, audit_of(unknown, unread=(UnreadReport("PersistentVolumeClaim"),)), OPENREPORTS)

    assert (interrupted.changes, interrupted.postponed) == ((), 1)
    assert len(forbidden.changes) == 1


def test_results_that_are_known_are_written_during_an_outage() -> None:
    """They do not depend on what could not be read."""
    found = plan((), audit_of(WEB, unread=LATE), OPENREPORTS)

    assert (len(found.changes), found.postponed) == (1, 0)


def test_the_report_of_the_cluster_names_no_object_of_a_tenant() -> None:
    """Policies are compared with all VMs, and the migration network with all networks."""
    text = '{{"name": "{}", "cniVersion": "0.3.1", "type": "macvlan", "master": "eth1", "ipam": {}}}'
    own = text.format("migration", '{"type": "whereabouts", "range": "10.1.1.0/24"}')
    other = text.format("canary", '{"type": "host-local", "subnet": "10.1.1.0/24"}')
    network = ("k8s.cni.cncf.io/v1", "NetworkAttachmentDefinition")
    selectors = {"selectors": {"virtualMachineInstanceSelector": {"speed": "fast"}}}
    audit = clusters.audit_of(
        [
            clusters.kubevirt(migrations={"network": "migration"}),
            clusters.named(*network, "migration", "kubevirt", spec={"config": own}),
            clusters.named(*network, "canary", "canary", spec={"config": other}),
            clusters.named("migrations.kubevirt.io/v1alpha1", "MigrationPolicy", "fast", spec=selectors),
            clusters.vm("canary", namespace="canary", metadata={"labels": {"speed": "fast"}}),
        ]
    )
    told = [finding for one in audit.objects for finding in one.report.findings if "canary" in str(finding)]

    (report,) = [one for one in wanted_reports(audit, coverage_of(audit)) if not one.namespace]

    document = str(report.document(OPENREPORTS))
    assert {finding.rule for finding in told if finding.rule in document} == NAMES_TENANTS
    assert "canary" not in document
    assert "A MigrationPolicy matches none of the VMs" in document
