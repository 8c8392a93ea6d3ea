"""I1 to I5, I7 to I9 and I15 to I24 of the nasty inputs, sent to a running server."""

import json
from typing import Any

import pytest

from tests.nasty.door import CANARY, HOLE, SECONDS, Doorway, Manifest, nested, pierced, secretive
from tests.surfaces.admission.reviews import on_claim, review
from tests.waiting import wait_until

MIB = 2**20


UID = "705ab4f5-6393-11e8-b7cc-42010a800002"


AT_SPEC = "spec.template.spec"


def with_hole_in_template_metadata() -> Manifest:
    made = secretive()
    made["spec"]["template"]["metadata"]["x"] = HOLE.strip('"')
    return made


def requested(**changes: Any) -> bytes:
    """A review of a VM with some fields of ``request`` changed; None takes one away."""
    whole = json.loads(review("CREATE", secretive()))
    whole["request"] |= changes
    return json.dumps(whole).encode()


@pytest.mark.parametrize("depth", [600, 3000, 9999])
def test_i1_deep_nesting_is_denied_with_its_path(door: Doorway, depth: int) -> None:
    """
    I1: thousands of nested arrays where unknown fields are kept are answered 200 with a 422 inside and the place; the
    dry-run API says 400, the mutating door nothing.
    """
    body = review("CREATE", with_hole_in_template_metadata())

    refused = door.review(pierced(body, nested(depth)))
    defaulted = door.review(pierced(body, nested(depth)), "/mutate")
    checked = door.check(pierced(json.dumps(with_hole_in_template_metadata()).encode(), nested(depth)))

    assert refused.status == 200
    assert refused.response["uid"] == UID
    assert refused.causes == {
        "spec.template.metadata.x": "nesting deeper than 512 levels. KubeVirt reads no field this deep"
    }
    assert (defaulted.status, defaulted.response) == (200, {"uid": UID, "allowed": True})
    assert checked.status == 400
    assert "deeper than" in checked.problem["title"]


@pytest.mark.parametrize("depth", [600, 3000])
def test_i1_old_deep_nesting_allows_no_finding_and_blocks_no_other_change(door: Doorway, depth: int) -> None:
    """
    I1: an object that was stored like that may stay, be repaired, changed without harm and deleted; a violation is refused
    all the same, with the nesting and without it.
    """
    made, repaired = with_hole_in_template_metadata(), secretive()
    harmed, harmless = with_hole_in_template_metadata(), with_hole_in_template_metadata()
    harmed["spec"]["template"]["spec"]["volumes"] = [on_claim("single")]
    harmless["spec"]["template"]["spec"]["domain"]["memory"] = {"guest": "128Mi"}
    elsewhere = with_hole_in_template_metadata()
    elsewhere["spec"]["template"]["metadata"]["y"] = HOLE.strip('"')

    def told(operation: str, new: Manifest | None) -> bool:
        allowed: bool = door.review(pierced(review(operation, new, made), nested(depth))).response["allowed"]
        return allowed

    assert [told("UPDATE", manifest) for manifest in (made, repaired, harmless)] == [True, True, True]
    assert told("DELETE", None)
    assert [told("UPDATE", manifest) for manifest in (harmed, secretive(volumes=[on_claim("single")]))] == [
        False,
        False,
    ]
    assert not told("UPDATE", elsewhere)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "the body is not an AdmissionReview in JSON"),
        (b"[]", "the body is not an AdmissionReview in JSON"),
        (b"null", "the body is not an AdmissionReview in JSON"),
        (b"\x00" * 100, "the body is not an AdmissionReview in JSON"),
        (b'{"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1"}', "the AdmissionReview has no request"),
        (requested(uid=""), "the AdmissionReview's request.uid is empty or too long"),
        (requested(uid="u" * MIB), "the AdmissionReview's request.uid is empty or too long"),
        (requested(uid=7), "the body is not an AdmissionReview in JSON"),
        (
            requested().replace(b"admission.k8s.io/v1", b"admission.k8s.io/v1beta1"),
            "the body is not an AdmissionReview of admission.k8s.io/v1",
        ),
        (requested(object=None), "a CREATE without object"),
    ],
    ids=["empty", "list", "null", "NUL", "no request", "no uid", "long uid", "odd uid", "v1beta1", "no object"],
)
def test_i2_a_body_that_is_not_a_review_gets_400_with_one_line(door: Doorway, body: bytes, reason: str) -> None:
    """
    I2: what no API server sends is answered 400 with a one-line reason; of it nothing but the size is logged.
    """
    before = len(bad_reviews(door))

    told = door.review(body)

    assert (told.status, told.body) == (400, f"{reason}\n".encode())
    wait_until(lambda: len(bad_reviews(door)) > before, SECONDS, "the line of log")
    (line,) = bad_reviews(door)[before:]
    assert line | {"time": ""} == {
        "time": "",
        "level": "warning",
        "logger": "migratable.admission",
        "message": "bad review",
        "bytes": len(body),
        "path": "/validate",
    }


def bad_reviews(door: Doorway) -> list[Any]:
    """What the log says so far about bad reviews. The lines about denials of earlier tests can still follow."""
    complete = [line for line in door.server.log.read_text().splitlines(keepends=True) if line.endswith("}\n")]
    return [line for line in map(json.loads, complete) if line["message"] == "bad review"]


@pytest.mark.parametrize(
    "body",
    [
        requested(kind={"group": "", "version": "v1", "kind": "Pod"}),
        requested(kind={"group": "policy", "version": "v1", "kind": "Eviction"}, subResource="eviction"),
        requested(operation="DELETE", object=None, oldObject=None),
        requested(operation="CONNECT", object=None, oldObject=None),
    ],
    ids=["pod", "eviction", "delete of nothing", "connect"],
)
def test_i3_a_kind_that_is_not_judged_passes(door: Doorway, body: bytes) -> None:
    """
    I3: our misconfiguration must not stop a cluster: a kind that is not judged, or nothing at all, is allowed and counted.
    """
    told = [door.review(body, path) for path in ("/validate", "/mutate")]

    assert [response.response for response in told] == [{"uid": UID, "allowed": True}] * 2


def test_i3_such_a_kind_is_counted(door: Doorway) -> None:
    """
    I3: the metrics tell of it under one label, whatever the kind is called.
    """
    sample = 'migratable_reviews_total{door="validate",kind="unexpected",operation="CREATE",outcome="allowed"}'
    before = door.counted(sample)

    door.review(requested(kind={"group": "", "version": "v1", "kind": f"Pod{CANARY}"}))

    assert door.counted(sample) == before + 1


def test_i4_an_update_without_oldobject_gets_400(door: Doorway) -> None:
    """
    I4: an UPDATE without oldObject cannot come from an API server. It gets 400 and is counted.
    """
    sample = 'migratable_reviews_total{door="validate",kind="unreadable",operation="other",outcome="bad"}'
    before = door.counted(sample)

    told = [door.review(requested(operation="UPDATE", oldObject=None)), door.review(requested(operation="UPDATE"))]

    assert [(response.status, response.body) for response in told] == [(400, b"an UPDATE without oldObject\n")] * 2
    assert door.counted(sample) == before + 2


TWICE = '{"evictionStrategy": "None",\n"evictionStrategy": "LiveMigrate", '


def test_i5_a_duplicate_key_is_an_error_in_files(door: Doorway) -> None:
    """
    I5: the dry-run API names both lines; the admission door reads the last one, as API servers do.
    """
    manifest = secretive(volumes=[on_claim("single")])
    text = json.dumps(manifest).replace('"spec": {"domain"', '"spec": ' + TWICE + '"domain"')
    assert TWICE in text
    body = review("CREATE", manifest).replace(b'"spec": {"domain"', b'"spec": ' + TWICE.encode() + b'"domain"')

    checked, reviewed = door.check(text.encode()), door.review(body)

    assert checked.status == 400
    assert checked.problem["title"] == "duplicate key 'evictionStrategy' (lines 1 and 2)"
    assert checked.problem["line"] == 2
    assert list(reviewed.causes) == [f"{AT_SPEC}.volumes[0]"]


PORTS = {
    "49152": "masquerade interface 'default' lists port 49152",
    "49152.5": "wrong type: expected an integer, got a number",
    '"49152"': "wrong type: expected an integer, got a string",
    "true": "wrong type: expected an integer, got a boolean",
    str(2**32 + 49152): "wrong type: expected an integer <= 2147483647",
    "1e400": "wrong type: number out of range",
    "9" * 5000: "wrong type: integer value out of range",
}


@pytest.mark.parametrize("port", PORTS, ids=[port[:12] for port in PORTS])
def test_i7_numbers_are_read_as_kubevirt_reads_them(door: Doorway, port: str) -> None:
    """
    I7: a port is a whole number of 32 bits; fractions, text, truth and what does not fit are refused with their place.
    """
    manifest = secretive(devices={"interfaces": [{"name": "default", "masquerade": {}, "ports": [{"port": "@@"}]}]})

    told = door.review(pierced(review("CREATE", manifest), port))
    checked = door.check(pierced(json.dumps(manifest).encode(), port))

    (cause,) = told.causes.items()
    assert cause[0].startswith(f"{AT_SPEC}.domain.devices.interfaces[0].ports[0]")
    assert cause[1].startswith(PORTS[port])
    assert checked.status == (200 if port == "49152" else 400)


def test_i7_an_invalid_number_is_invalid_json(door: Doorway) -> None:
    """
    I7: NaN and Infinity are not JSON: 400 from both doors, with the position where people write.
    """
    manifest = secretive(devices={"interfaces": [{"name": "default", "masquerade": {}, "ports": [{"port": "@@"}]}]})

    for word in ("NaN", "Infinity", "-Infinity"):
        reviewed = door.review(pierced(review("CREATE", manifest), word))
        checked = door.check(pierced(json.dumps(manifest).encode(), word))

        assert (reviewed.status, checked.status) == (400, 400)
        assert checked.problem["line"] == 1


def test_i7_a_whole_number_may_be_written_with_a_point(door: Doorway) -> None:
    """
    I7: API servers send 49152 for 49152.0, so the dry-run API reads it so too.
    """
    manifest = secretive(devices={"interfaces": [{"name": "default", "masquerade": {}, "ports": [{"port": "@@"}]}]})

    checked = door.check(pierced(json.dumps(manifest).encode(), "49152.0"))

    assert checked.status == 200
    assert "lists port 49152" in checked.body.decode()


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("L\u0456veMigrate", "L\\u0456veMigrate"),
        ("Live\u200dMigrate", "Live\\u200dMigrate"),
        ("\uff2civeMigrate", "\\uff2civeMigrate"),
    ],
    ids=["Cyrillic", "joiner", "fullwidth"],
)
def test_i8_lookalike_letters_make_other_values(door: Doorway, word: str, shown: str) -> None:
    """
    I8: a value that only looks like one of the allowed is refused, and the text shows the letters that differ.
    """
    told = door.review(review("CREATE", secretive(evictionStrategy=word)))

    (message,) = told.causes.values()
    assert message.startswith(f"evictionStrategy '{shown}' is not one of LiveMigrate, ")
    assert word.encode() not in told.body


ODD = {
    "NUL": "\\u0000",
    "ESC": "\\u001b[31mred",
    "lines": "a\\r\\nb",
    "bidi": "\\u202egpj.exe",
    "DEL": "\\u007f",
    "C1": "\\u009b31m",
    "line separator": "\\u2028",
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_i9_controls_in_names_come_back_escaped(door: Doorway, odd: str) -> None:
    """
    I9: whatever controls a name holds, what is printed of it is printable, so that no warning is dropped on its way.
    """
    volume = {"name": "@@", "persistentVolumeClaim": {"claimName": "@@"}}
    manifest = secretive(volumes=[volume])
    manifest["metadata"]["annotations"]["example.org/odd"] = "@@"

    told = door.review(pierced(review("CREATE", manifest), f'"{odd}"'))

    (warning,) = told.warnings
    assert warning.isprintable()
    assert warning.isascii()
    assert len(warning) <= 256


@pytest.mark.parametrize("bad", [b'"\\ud800"', b'"\xff\xfe"', b'"\xed\xa0\x80"'], ids=["surrogate", "bytes", "CESU"])
def test_i9_invalid_text_gets_400(door: Doorway, bad: bytes) -> None:
    """
    I9: a lone surrogate and bytes that are not UTF-8 (API servers replace both) are refused by every door.
    """
    volume = {"name": "@@", "persistentVolumeClaim": {"claimName": "single"}}
    manifest = secretive(volumes=[volume])

    reviewed = door.review(pierced(review("CREATE", manifest), bad))
    checked = door.check(pierced(json.dumps(manifest).encode(), bad))

    assert (reviewed.status, checked.status) == (400, 400)
