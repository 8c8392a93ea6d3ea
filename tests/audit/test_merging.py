"""Merging the reports of all shards of an audit."""

import re

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.audit.clusters import Manifest, audit_of
from tests.audit.test_shards import clusters
from tests.report.audits import (
    DISAGREEMENT,
    SMALL_AUDIT,
    audit_report,
    bridge,
    drain_blocked,
    live,
    not_shared,
    unproven,
)
from tests.report.test_formats import EVERY
from webhook.audit.audit import place_of
from webhook.audit.merging import ShardReport, merge, read_report
from webhook.audit.scope import Scope, shard_of
from webhook.errors import BadInput
from webhook.report import as_json, groups, sarif
from webhook.report.audit_remarks import with_notes
from webhook.report.audited import AuditReport, Shard, UnreadReport
from webhook.report.grouping import GROUPINGS
from webhook.report.model import ObjectReport, ProblemReport, summarise

KINDS = ("VirtualMachine", "VirtualMachineInstance", "VirtualMachinePool", "NetworkAttachmentDefinition")
PROBLEM = ProblemReport("wrong type", "Correct it.", "PersistentVolume pv", None, None, None, "metadata")
RENDERERS = EVERY | {"sarif": lambda report: sarif.render(report, version="1.2.3", rules=())}
"""All formats. SARIF has no descriptions of rules, which are the same in every report and take seconds."""
FINDINGS = (bridge(), not_shared("os"), unproven("data"), drain_blocked())


def written(report: AuditReport) -> ShardReport:
    """A report, as ``-o json`` writes it and as it is read again."""
    name = f"{report.shard.number}.json"
    return name, read_report(as_json.render(report).encode(), name)


def part(whole: AuditReport, number: int, of: int) -> AuditReport:
    """
    The report of a shard: the namespaces of the shard, some of the notes, and all problems. Every shard reads the same facts.
    """
    objects = [judged for judged in whole.objects if shard_of(judged.namespace, of) == number]
    return replace(
        whole,
        shard=Shard(number, of),
        objects=objects,
        notes=[note for at, note in enumerate(whole.notes) if at % of == of - number],
        summary=summarise(objects, whole.problems),
        disagreements=tuple(one for one in whole.disagreements if shard_of(one.namespace, of) == number),
    )


def parts(whole: AuditReport, of: int) -> list[ShardReport]:
    return [written(part(whole, number, of)) for number in range(1, of + 1)]


@st.composite
def reports(draw: st.DrawFn) -> AuditReport:
    """Reports in the order of an audit."""
    drawn = st.tuples(
        st.sampled_from(KINDS),
        st.sampled_from([f"ns-{number}" for number in range(9)]),
        st.sampled_from("abc"),
        st.sampled_from([True, False, None]),
        st.lists(st.sampled_from(FINDINGS), max_size=3, unique_by=lambda finding: (finding.rule, finding.outcome)),
    )
    objects: dict[tuple[str, str, str], ObjectReport] = {}
    for kind, namespace, name, migratable, findings in draw(st.lists(drawn, max_size=12)):
        objects[kind, namespace, name] = live(name, migratable, *findings, namespace=namespace, kind=kind)
    listed = sorted(objects.values(), key=place_of)
    vms = [judged for judged in listed if judged.kind == "VirtualMachine"]
    differing = [replace(DISAGREEMENT, namespace=vm.namespace, name=vm.name) for vm in vms if draw(st.booleans())]
    notes = sorted(draw(st.sets(st.sampled_from(["a note", "more", "third"]))))
    problems = draw(st.sampled_from([[], [PROBLEM], [PROBLEM, replace(PROBLEM, path="spec")]]))
    report = audit_report(*listed, disagreements=differing, unread=[UnreadReport("StorageClass")], notes=notes)
    return replace(report, problems=problems, summary=summarise(listed, problems))


@settings(max_examples=20)
@given(clusters(), st.integers(1, 5))
def test_merged_shards_of_a_cluster_are_the_whole_audit(objects: list[Manifest], of: int) -> None:
    """
    The merged report has the same bytes as the report of one run.
    """
    whole = audit_of(objects).report

    shards = [written(audit_of(objects, Scope(shard=Shard(number, of))).report) for number in range(1, of + 1)]

    assert as_json.render(merge(shards)) == as_json.render(whole)


@settings(max_examples=20)
@given(reports(), st.integers(1, 12), st.randoms())
def test_the_merged_report_has_the_same_bytes_in_every_format(whole: AuditReport, of: int, random: object) -> None:
    """
    Neither the number of shards nor the order of the files changes a byte.
    """
    shards = parts(whole, of)
    random.shuffle(shards)  # type: ignore[attr-defined]

    merged = merge(shards)

    for render in RENDERERS.values():
        assert render(with_notes(merged)) == render(with_notes(whole))
    for by in GROUPINGS:
        assert groups.render(merged, by=by) == groups.render(whole, by=by)


@pytest.mark.parametrize("missing", [1, 2, 3])
def test_a_missing_shard_is_refused(missing: int) -> None:
    """
    The error has the number of the missing shard.
    """
    shards = parts(SMALL_AUDIT, 3)
    del shards[missing - 1]

    with pytest.raises(BadInput, match=rf"^shard {missing}/3 missing$"):
        merge(shards)


def test_many_missing_shards_are_counted() -> None:
    """
    The error names the first ten missing shards.
    """
    with pytest.raises(BadInput, match=r"^shards 2/30, .*, 11/30 and 19 more missing$"):
        merge(parts(SMALL_AUDIT, 30)[:1])


def test_a_duplicate_shard_is_refused() -> None:
    """
    The error names both files, also if one file is named twice.
    """
    shards = parts(SMALL_AUDIT, 2)
    copy = ("copy.json", shards[0][1])

    with pytest.raises(BadInput, match=r"^shard 1/2 is also in 1\.json$") as error:
        merge([*shards, copy])
    with pytest.raises(BadInput, match=r"^shard 1/2 is also in 1\.json$"):
        merge([*shards, shards[0]])

    assert error.value.source == "copy.json"


@pytest.mark.parametrize(
    ("option", "change", "message"),
    [
        ("profile", {"profile": "exact"}, "profile exact differs from profile strict of 1.json"),
        ("release", {"release": "1.8"}, "release 1.8 differs from release 1.9 of 1.json"),
        ("namespaces", {"namespaces": ("a", "b")}, "namespaces a, b differs from namespaces (all) of 1.json"),
        ("shards", {"shard": Shard(2, 3)}, "number of shards 3 differs from number of shards 2 of 1.json"),
    ],
)
def test_reports_of_different_audits_are_refused(option: str, change: dict[str, object], message: str) -> None:
    """
    All shards have the same profile, release, namespaces and number of shards.
    """
    first, (name, second) = parts(SMALL_AUDIT, 2)

    with pytest.raises(BadInput, match=f"^{re.escape(message)}$") as error:
        merge([first, (name, replace(second, **change))])

    assert error.value.source == "2.json", option


def test_an_object_in_two_shards_is_refused() -> None:
    """
    The reports belong to different audits, although their options are equal.
    """
    (first_name, first), (second_name, second) = parts(SMALL_AUDIT, 2)
    everything = replace(first, objects=SMALL_AUDIT.objects)

    with pytest.raises(BadInput, match=r"^\w+ \w+/\w+ is also in 1\.json$") as error:
        merge([(first_name, everything), (second_name, replace(second, objects=SMALL_AUDIT.objects[:1]))])

    assert error.value.source == "2.json"


def test_an_incomplete_shard_makes_the_audit_incomplete() -> None:
    """
    The merged report has all kinds that any shard could not read.
    """
    late = UnreadReport("VirtualMachine", "", "timed out", is_refused=False)
    (name, first), second = parts(SMALL_AUDIT, 2)

    merged = merge([(name, replace(first, unread=(late,), is_incomplete=True)), second])

    assert merged.is_incomplete
    assert merged.unread == tuple(sorted({*SMALL_AUDIT.unread, late}))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not the JSON report of an audit: Input data was truncated"),
        (b"apiVersion: migratable/v1", "not the JSON report of an audit: JSON is malformed"),
        (b"\xff", "not the JSON report of an audit: JSON is malformed"),
        (b"{}", "not the JSON report of an audit: Object missing required field `apiVersion`"),
        (b'{"apiVersion": "migratable/v1"}', "Object missing required field `shard`"),
        (b'{"apiVersion": "migratable/v2", "shard": {}}', "Object missing required field"),
        (as_json.render(SMALL_AUDIT).encode()[:-40], "not the JSON report of an audit: Input data was truncated"),
        (as_json.render(replace(SMALL_AUDIT, api_version="migratable/v2")).encode(), "apiVersion is 'migratable/v2'"),
        (as_json.render(replace(SMALL_AUDIT, shard=Shard(3, 2))).encode(), "shard 3/2 does not exist"),
        (
            as_json.render(audit_report(live("x", None, kind="Pod"))).encode(),
            "'Pod' is not a kind that an audit judges",
        ),
    ],
)
def test_a_file_that_is_no_report_of_an_audit_is_refused(content: bytes, message: str) -> None:
    """
    The error names the file, the fault and the command that writes such a report.
    """
    with pytest.raises(BadInput, match=re.escape(message)) as error:
        read_report(content, "shard.json")

    assert error.value.source == "shard.json"
    assert error.value.remedy


def test_the_report_of_a_check_is_refused() -> None:
    """
    A report on manifests has no shard, so it could be merged by mistake.
    """
    fields = {key: value for key, value in msgspec.to_builtins(SMALL_AUDIT).items() if key != "shard"}

    with pytest.raises(BadInput, match="missing required field `shard`"):
        read_report(msgspec.json.encode(fields), "check.json")
