"""Reports about objects of a cluster, in both API groups."""

import json
import re
from collections import Counter
from typing import Any

import jsonschema_rs
import msgspec
import pytest
from msgspec.structs import replace

from tests.audit import clusters
from tests.audit.reported import FAILS, audited
from tests.report.answers import SCHEMAS
from tests.report.reports import DRAIN, EXEMPTED, NOT_SHOWN
from tests.surfaces.running import ROOT
from webhook.objects.report_kinds import OPENREPORTS, POLICYREPORTS, REPORT_APIS, ReportApi
from webhook.report import openreports
from webhook.report.audited import UnreadReport
from webhook.report.building import report_of
from webhook.report.report_objects import (
    MOST_CHARACTERS,
    MOST_IN_CLUSTER,
    MOST_RESULTS,
    ReportObject,
    cluster_report,
    own_report,
)
from webhook.yaml import writer

VM = audited("web", FAILS, DRAIN, NOT_SHOWN, EXEMPTED)


def document(api: ReportApi = OPENREPORTS, *objects: object) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(msgspec.json.encode(own_report(VM, "strict").document(api)))
    return read


@pytest.mark.parametrize("api", REPORT_APIS)
def test_a_report_has_the_failures_warnings_and_unknowns_of_its_object(api: ReportApi) -> None:
    """No passed rule and no exempted finding is stored."""
    found = document(api)

    assert [(result["rule"], result["result"]) for result in found["results"]] == [
        ("LM201", "fail"),
        ("LM501", "warn"),
        ("LM201", "error"),
    ]
    assert found["summary"] == dict(Counter(result["result"] for result in found["results"]))


@pytest.mark.parametrize("api", REPORT_APIS)
def test_a_report_is_owned_by_its_object(api: ReportApi) -> None:
    """The garbage collector deletes it with the object. ``blockOwnerDeletion`` would need a right on the object."""
    found = document(api)

    identity = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "name": "web", "uid": "uid-web"}
    assert found["metadata"]["ownerReferences"] == [identity]
    assert found["metadata"]["namespace"] == "tenant"
    assert found["scope"] == identity | {"namespace": "tenant"}


def test_both_api_groups_have_the_same_results() -> None:
    """A PolicyReport names the source in each result, an OpenReports report only once."""
    first, second = document(OPENREPORTS), document(POLICYREPORTS)

    assert (first["apiVersion"], first["kind"]) == ("openreports.io/v1alpha1", "Report")
    assert (second["apiVersion"], second["kind"]) == ("wgpolicyk8s.io/v1alpha2", "PolicyReport")
    assert "source" not in second
    assert [{"source": first["source"]} | result for result in first["results"]] == second["results"]


def test_a_report_follows_the_schema_of_openreports() -> None:
    """An API server drops fields that the CustomResourceDefinition does not have."""
    schema = json.loads((SCHEMAS / "openreports.json").read_text())
    found = document()
    assert [found["metadata"].pop(name) for name in ("annotations", "ownerReferences")]

    jsonschema_rs.Draft202012Validator(schema).validate(found)


def test_a_report_has_the_name_that_check_gives_it() -> None:
    """``migratable check -o openreports | kubectl apply -f -`` and the audit do not make two reports about an object."""
    checked = openreports.documents(report_of([VM.report], (), profile="strict", release="1.9"))

    assert [one["metadata"]["name"] for one in checked] == [document()["metadata"]["name"]]  # type: ignore[index,call-overload]


@pytest.mark.parametrize(
    "other",
    [
        replace(VM, uid="other"),
        audited("web", FAILS, DRAIN),
        audited("web", replace(FAILS, message="other"), DRAIN, NOT_SHOWN),
        audited("web", replace(FAILS, path="other"), DRAIN, NOT_SHOWN),
    ],
)
def test_the_fingerprint_changes_with_the_content(other: object) -> None:
    """An equal fingerprint means that nothing is written."""
    changed = own_report(other, "strict").document(OPENREPORTS)  # type: ignore[arg-type]

    assert document()["metadata"]["annotations"] != changed["metadata"]["annotations"]  # type: ignore[index,call-overload]
    assert document() == document()
    assert document()["metadata"]["annotations"] == {
        "migratable.dev/fingerprint": own_report(VM, "strict").fingerprint(OPENREPORTS)
    }


def test_an_exempted_finding_does_not_change_the_fingerprint() -> None:
    """It is not in the report."""
    without = own_report(audited("web", FAILS, DRAIN, NOT_SHOWN), "strict").document(OPENREPORTS)

    assert document()["metadata"] == without["metadata"]


def test_a_report_has_a_maximum_size() -> None:
    """A tenant chooses the number of volumes and the length of their names."""
    long = replace(FAILS, message="a" * 100_000, path="b" * 100_000)

    found = own_report(audited("web", *[long] * 500), "strict").document(OPENREPORTS)

    assert len(msgspec.json.encode(found)) < (MOST_RESULTS + 1) * (2 * MOST_CHARACTERS + 500)
    assert found["results"][-1] == {  # type: ignore[index]
        "policy": "migratable-strict",
        "result": "warn",
        "message": f"{500 - MOST_RESULTS} more findings. `migratable audit -o json` lists them.",
    }


def test_denied_findings_come_before_the_findings_that_are_left_out() -> None:
    """A report with warnings only would look harmless."""
    found = own_report(audited("web", *[DRAIN] * 100, FAILS), "strict").document(OPENREPORTS)

    assert found["summary"] == {"fail": 1, "warn": MOST_RESULTS}


def test_the_report_of_the_cluster_has_a_maximum_size() -> None:
    """There can be thousands of MigrationPolicies. Kinds that could not be read are always named."""
    policies = [audited(f"p{number}", FAILS, namespace="", kind="MigrationPolicy") for number in range(MOST_IN_CLUSTER)]

    found = cluster_report(policies, "strict", [UnreadReport("KubeVirt")]).document(OPENREPORTS)

    assert found["summary"] == {"error": 1, "fail": MOST_IN_CLUSTER - 1, "warn": 1}
    assert "1 more findings" in str(found["results"])


@pytest.mark.parametrize(
    ("remedy", "shown"),
    [
        ("Set a. Set b.", "Set a. Set b."),
        (f"Set {'a' * 90}. Set {'b' * 90}. Set c.", f"Set {'a' * 90}."),
        (f"Set {'a' * 200}. Set b.", f"Set {'a' * 200}."),
        ("Use 1.5 or e.g. b.", "Use 1.5 or e.g. b."),
    ],
)
def test_a_long_remedy_ends_after_a_sentence(remedy: str, shown: str) -> None:
    """The whole remedy is in the pages of the rules, and would be a third of each report."""
    found = own_report(audited("web", replace(FAILS, remedy=remedy)), "strict").document(OPENREPORTS)

    assert [result["message"].split("\n")[1] for result in found["results"]] == [shown]  # type: ignore[index,union-attr,call-overload]


def test_the_report_of_the_cluster_names_the_object_of_each_result() -> None:
    """It has no scope and no owner, and does not depend on the order of the objects."""
    kubevirt = audited("kubevirt", FAILS, namespace="kubevirt", kind="KubeVirt")
    policy = audited("fast", DRAIN, namespace="", kind="MigrationPolicy")

    found = cluster_report([policy, kubevirt], "strict", []).document(OPENREPORTS)

    assert found == cluster_report([kubevirt, policy], "strict", []).document(OPENREPORTS)
    assert found["kind"] == "ClusterReport"
    assert found["metadata"].keys() == {"name", "labels", "annotations"}  # type: ignore[union-attr]
    assert "scope" not in found
    assert [result["resources"] for result in found["results"]] == [  # type: ignore[union-attr,index,call-overload]
        [
            {
                "apiVersion": "kubevirt.io/v1",
                "kind": "KubeVirt",
                "namespace": "kubevirt",
                "name": "kubevirt",
                "uid": "uid-kubevirt",
            }
        ],
        [
            {
                "apiVersion": "migrations.kubevirt.io/v1alpha1",
                "kind": "MigrationPolicy",
                "name": "fast",
                "uid": "uid-fast",
            }
        ],
    ]


def example_of_docs() -> ReportObject:
    machine = clusters.vm("web", "web-os", namespace="tenant")
    machine["metadata"]["uid"] = "d0154c43-3a22-40f3-a38d-bb3625b3ad86"
    audit = clusters.audit_of([machine, clusters.claim("web-os", "tenant", "ReadWriteOnce")])
    (judged,) = [one for one in audit.objects if one.report.name == "web"]
    return own_report(judged, audit.report.profile)


def test_the_page_about_reports_shows_a_report() -> None:
    """The page has the report that the audit writes for this VM."""
    page = (ROOT / "docs" / "reports.md").read_text()

    (shown,) = re.findall("```yaml\n(.*?)```", page, re.DOTALL)

    assert shown == writer.dump(example_of_docs().document(OPENREPORTS))
