"""Formats of the report on a cluster: its objects have no file and no lines."""

import json
import xml.etree.ElementTree as Xml
from pathlib import Path

import jsonschema_rs
import pytest

from tests.report.audits import SMALL_AUDIT, audit_report, bridge, live, quoted_number
from tests.report.reports import as_text
from tests.report.test_formats import EVERY, RENDERERS
from tests.snapshots.snapshot import snapshot
from webhook.report import as_json, checkstyle, gitlab, junit, rdjson, sarif
from webhook.report.audit_remarks import with_notes
from webhook.report.model import Report

PATHS = {
    "KubeVirt/kubevirt/kubevirt",
    "VirtualMachine/lab/other",
    "VirtualMachine/tenant/open",
    "VirtualMachine/tenant/web",
}


@pytest.mark.parametrize("name", [*RENDERERS, "text"])
def test_the_report_on_a_cluster_reads_as_recorded(name: str) -> None:
    """
    Each format names the objects by kind, namespace and name, without a file and without line numbers.
    """
    shown = EVERY[name](SMALL_AUDIT)

    assert shown == snapshot(f"report/audit.{name}", shown)


def test_formats_that_require_a_path_have_the_name_of_the_object() -> None:
    """
    GitLab, Checkstyle and reviewdog show findings by path.
    """
    assert {issue["location"]["path"] for issue in json.loads(gitlab.render(SMALL_AUDIT))} == PATHS
    assert {file.attrib["name"] for file in Xml.fromstring(checkstyle.render(SMALL_AUDIT))} == PATHS
    read = json.loads(rdjson.render(SMALL_AUDIT, {}))
    assert {diagnostic["location"]["path"] for diagnostic in read["diagnostics"]} == PATHS


def test_junit_has_a_suite_for_each_namespace() -> None:
    """
    A suite contains the objects of one namespace. Cluster-scoped objects are in the suite ``cluster``.
    """
    policy = live("fast", None, kind="MigrationPolicy", version="migrations.kubevirt.io/v1alpha1", namespace="")

    suites = Xml.fromstring(junit.render(audit_report(*SMALL_AUDIT.objects, policy)))

    assert [suite.attrib["name"] for suite in suites] == [
        *("namespace tenant", "namespace lab", "namespace kubevirt", "cluster")
    ]


def test_sarif_names_objects_and_fields() -> None:
    """
    A result about an object of a cluster has logical locations only: the field and the object.
    """
    results = json.loads(sarif.render(SMALL_AUDIT, version="1"))["runs"][0]["results"]

    assert [name["fullyQualifiedName"] for name in results[0]["locations"][0]["logicalLocations"]] == [
        "kubevirt.io/v1/VirtualMachine/tenant/web:spec.template.spec.domain.devices.interfaces[0]",
        "kubevirt.io/v1/VirtualMachine/tenant/web",
    ]
    assert not any("physicalLocation" in place for result in results for place in result["locations"])


@pytest.mark.parametrize("name", ["github.txt", "tap", "md", "sarif"])
def test_notes_tell_of_unread_kinds_and_disagreements(name: str) -> None:
    """
    A format with notes names the kinds that were not read, and the conditions that differ from the verdict.
    """
    shown = EVERY[name](with_notes(SMALL_AUDIT)).replace("\\", "")

    assert "not read (not allowed): PersistentVolume, StorageProfile" in shown
    assert (
        "tenant/good: LiveMigratable is False (HostDeviceNotLiveMigratable) in KubeVirt, and True in the verdict"
        in shown
    )


def test_text_has_the_commands_of_each_finding() -> None:
    """
    Below the remedy of a finding are its commands, each on one line, whatever the width.
    """
    shown = as_text(SMALL_AUDIT, width=60)

    commands = [line for line in shown.splitlines() if "kubectl patch" in line]
    assert len(commands) == 4
    assert all(line.endswith("]'") for line in commands)


def test_a_kubevirt_cr_of_hyperconverged_gets_no_command() -> None:
    """
    If the report contains a HyperConverged CR, a patch of the KubeVirt CR would not last.
    """
    cr = live("kubevirt", None, quoted_number(), namespace="kubevirt", kind="KubeVirt")
    operator = live("hco", None, kind="HyperConverged", version="hco.kubevirt.io/v1beta1")

    assert "kubectl patch" in as_text(audit_report(cr))
    assert "kubectl patch" not in as_text(audit_report(cr, operator))


def test_the_report_on_manifests_has_no_commands() -> None:
    """
    The fixes of a manifest are changes of its file.
    """
    report = audit_report(live("web", False, bridge()))
    fields = {name: getattr(report, name) for name in report.__struct_fields__[:7]}

    assert "kubectl" not in as_text(Report(**fields))


def test_the_json_report_is_valid_by_its_published_schema() -> None:
    """
    The report has all fields of a check, and those of an audit.
    """
    schema = json.loads((Path(__file__).parents[2] / "docs" / "schemas" / "audit-report.json").read_text())
    report = json.loads(as_json.render(SMALL_AUDIT))

    assert jsonschema_rs.Draft202012Validator(schema).is_valid(report)
    assert report.keys() == schema["$defs"]["AuditReport"]["properties"].keys()
    assert report.keys() >= as_json.schema()["$defs"]["Report"]["properties"].keys()
