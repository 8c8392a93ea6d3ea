"""The rehearsal of a drain as JSON."""

import json

import jsonschema_rs
import pytest
from hypothesis import given

from tests.report.drains import EXAMPLES, REPORTS
from tests.snapshots.snapshot import snapshot
from webhook.drain.plan import DrainReport
from webhook.report.drain import drain_json

SCHEMA = jsonschema_rs.Draft202012Validator(drain_json.schema())


@given(REPORTS)
def test_the_json_of_a_drain_is_valid_by_the_published_schema(report: DrainReport) -> None:
    """
    The document is valid by the schema, and no character of it is a control character.
    """
    text = drain_json.render(report)

    SCHEMA.validate(json.loads(text))
    assert text.replace("\n", "").isprintable()


@given(REPORTS)
def test_the_json_of_a_drain_has_the_values_of_the_report(report: DrainReport) -> None:
    """
    Names, messages and remedies are unchanged after decoding.
    """
    document = json.loads(drain_json.render(report))

    expected = [
        [(vmi.namespace, vmi.name, str(vmi.outcome), vmi.message, vmi.remedy) for vmi in node.machines]
        for node in report.nodes
    ]
    keys = ("namespace", "name", "outcome", "message", "remedy")
    assert expected == [[tuple(vmi[key] for key in keys) for vmi in node["machines"]] for node in document["nodes"]]


def test_no_key_of_the_json_of_a_drain_is_omitted() -> None:
    """
    A key is present also if its value is empty, and seconds are null if they are not known.
    """
    document = json.loads(drain_json.render(EXAMPLES["one"]))

    assert (document["apiVersion"], document["kind"]) == ("migratable/v1", "DrainReport")
    node = document["nodes"][0]
    assert node["seconds"] is None
    moves = node["machines"][3]
    assert (moves["outcome"], moves["detail"], moves["message"], moves["remedy"]) == ("moves", None, "", "")
    assert moves["seconds"] == {"best": 40, "worst": 600}
    assert node["machines"][0]["nodes"] == []
    assert json.loads(drain_json.render(EXAMPLES["clean"]))["assumptions"] == []


def test_the_schema_of_a_drain_refuses_a_document_without_a_remedy() -> None:
    """
    Programs can rely on each key: the schema requires all of them.
    """
    document = json.loads(drain_json.render(EXAMPLES["one"]))
    del document["nodes"][0]["machines"][0]["remedy"]

    with pytest.raises(jsonschema_rs.ValidationError):
        SCHEMA.validate(document)


def test_the_json_of_a_drain_is_as_recorded() -> None:
    """
    The shape of the document changes only in review.
    """
    text = drain_json.render(EXAMPLES["one"])

    assert text == snapshot("report/drain-one.json", text)
