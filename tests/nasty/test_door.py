"""I1 to I5, I7 to I9 and I15 to I24 of the nasty inputs, sent to a running server."""

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.nasty.door import CANARY, HOLE, SECONDS, Doorway, Manifest, nested, pierced, secretive
from tests.serve.wire import Wire, post
from tests.surfaces.admission.reviews import on_claim, review
from tests.waiting import wait_until
from webhook.surfaces.admission.http import MAX_BODY

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
def test_i1_nesting_beyond_reason_is_refused_with_its_place(door: Doorway, depth: int) -> None:
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
def test_i1_nesting_that_was_there_before_excuses_nothing_and_blocks_nothing_else(door: Doorway, depth: int) -> None:
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

    assert [told("UPDATE", each) for each in (made, repaired, harmless)] == [True, True, True]
    assert told("DELETE", None)
    assert [told("UPDATE", each) for each in (harmed, secretive(volumes=[on_claim("single")]))] == [False, False]
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
def test_i2_what_is_no_review_is_a_400_in_one_line(door: Doorway, body: bytes, reason: str) -> None:
    """
    I2: what no API server sends is answered 400 with a one-line reason; of it nothing but the size is logged.
    """
    before = len(lines(door))

    told = door.review(body)

    assert (told.status, told.body) == (400, f"{reason}\n".encode())
    wait_until(lambda: len(lines(door)) > before, SECONDS, "the line of log")
    (line,) = lines(door)[before:]
    assert line | {"time": ""} == {
        "time": "",
        "level": "warning",
        "logger": "migratable.admission",
        "message": "bad review",
        "bytes": len(body),
        "path": "/validate",
    }


def lines(door: Doorway) -> list[Any]:
    """The log so far, but for a line that is being written."""
    return [json.loads(line) for line in door.server.log.read_text().splitlines(keepends=True) if line.endswith("}\n")]


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
def test_i3_what_is_not_ours_to_judge_passes(door: Doorway, body: bytes) -> None:
    """
    I3: our misconfiguration must not stop a cluster: a kind that is not judged, or nothing at all, is allowed and counted.
    """
    told = [door.review(body, path) for path in ("/validate", "/mutate")]

    assert [each.response for each in told] == [{"uid": UID, "allowed": True}] * 2


def test_i3_such_a_kind_is_counted(door: Doorway) -> None:
    """
    I3: the metrics tell of it under one label, whatever the kind is called.
    """
    sample = 'migratable_reviews_total{door="validate",kind="unexpected",operation="CREATE",outcome="allowed"}'
    before = door.counted(sample)

    door.review(requested(kind={"group": "", "version": "v1", "kind": f"Pod{CANARY}"}))

    assert door.counted(sample) == before + 1


def test_i4_an_update_of_nothing_is_a_400(door: Doorway) -> None:
    """
    I4: an UPDATE without oldObject cannot come from an API server: 400, and counted.
    """
    sample = 'migratable_reviews_total{door="validate",kind="unreadable",operation="other",outcome="bad"}'
    before = door.counted(sample)

    told = [door.review(requested(operation="UPDATE", oldObject=None)), door.review(requested(operation="UPDATE"))]

    assert [(each.status, each.body) for each in told] == [(400, b"an UPDATE without oldObject\n")] * 2
    assert door.counted(sample) == before + 2


TWICE = '{"evictionStrategy": "None",\n"evictionStrategy": "LiveMigrate", '


def test_i5_a_key_that_stands_twice_is_an_error_where_people_write(door: Doorway) -> None:
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


@pytest.mark.parametrize("port", PORTS, ids=[each[:12] for each in PORTS])
def test_i7_numbers_are_read_as_kubevirt_reads_them(door: Doorway, port: str) -> None:
    """
    I7: a port is a whole number of 32 bits; fractions, text, truth and what does not fit are refused with their place.
    """
    manifest = secretive(devices={"interfaces": [{"name": "default", "masquerade": {}, "ports": [{"port": "@@"}]}]})

    told = door.review(pierced(review("CREATE", manifest), port))
    checked = door.check(pierced(json.dumps(manifest).encode(), port))

    (found,) = told.causes.items()
    assert found[0].startswith(f"{AT_SPEC}.domain.devices.interfaces[0].ports[0]")
    assert found[1].startswith(PORTS[port])
    assert checked.status == (200 if port == "49152" else 400)


def test_i7_no_number_at_all_is_no_json(door: Doorway) -> None:
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
def test_i8_lookalikes_are_other_words(door: Doorway, word: str, shown: str) -> None:
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
    assert len(warning) <= 120


@pytest.mark.parametrize("bad", [b'"\\ud800"', b'"\xff\xfe"', b'"\xed\xa0\x80"'], ids=["surrogate", "bytes", "CESU"])
def test_i9_what_is_no_text_is_refused(door: Doorway, bad: bytes) -> None:
    """
    I9: a lone surrogate and bytes that are not UTF-8 (API servers replace both) are refused by every door.
    """
    volume = {"name": "@@", "persistentVolumeClaim": {"claimName": "single"}}
    manifest = secretive(volumes=[volume])

    reviewed = door.review(pierced(review("CREATE", manifest), bad))
    checked = door.check(pierced(json.dumps(manifest).encode(), bad))

    assert (reviewed.status, checked.status) == (400, 400)


# --- I15 to I17: at the wire


def test_i15_a_body_beyond_the_cap_is_cut(door: Doorway) -> None:
    """
    I15: a length beyond 8 MiB is answered 413 before the body comes, chunks without a length as soon as they pass it; 200
    MiB of either, and of headers, cost less than 16 MiB of memory.
    """
    door.review(review("CREATE", secretive()))
    before = door.resident_mib

    with Wire(door.server.admission_port, door.trust) as announced:
        announced.send(b"POST /validate HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % (200 * MIB))
        told = announced.answer()
    chunk = b"%x\r\n" % MIB + bytes(MIB) + b"\r\n"
    with Wire(door.server.admission_port, door.trust) as chunks:
        chunks.send(b"POST /validate HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
        for _ in range(200):
            chunks.send(chunk)
        endless = chunks.rest()
    with Wire(door.server.admission_port, door.trust) as headers:
        headers.send(b"POST /validate HTTP/1.1\r\nhost: x\r\n")
        for number in range(200):
            headers.send(b"x%d: " % number + b"a" * MIB + b"\r\n")
        long = headers.rest()

    assert (told.status, told.headers["connection"]) == (413, "close")
    assert not endless or endless.startswith(b"HTTP/1.1 413 ")
    assert not long or long.startswith(b"HTTP/1.1 431 ")
    assert door.resident_mib - before < MAX_BODY / MIB + 16


def test_i15_a_lawful_giant_is_answered(door: Doorway) -> None:
    """
    I15: an object and its old self that nearly fill the cap are answered within a second of work.
    """
    large = secretive()
    large["metadata"]["annotations"]["example.org/large"] = "a" * (MAX_BODY // 2 - 4096)
    body = review("UPDATE", large, large)
    assert 0 < MAX_BODY - len(body) < 16384
    began = cpu_seconds(door)

    told = door.review(body)

    assert told.warnings == []
    assert cpu_seconds(door) - began < 1


def cpu_seconds(door: Doorway) -> float:
    """What the server has worked so far."""
    fields = Path(f"/proc/{door.server.popen.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def test_i16_two_requests_in_one_are_refused(door: Doorway) -> None:
    """
    I16: two lengths, a length beside chunks, a bare line feed and a second request before the answer are answered 400; the
    review behind them is never judged.
    """
    behind = post("/validate", review("CREATE", secretive(volumes=[on_claim("single")])))
    head = b"POST /validate HTTP/1.1\r\nhost: x\r\n"
    judged = 'migratable_reviews_total{door="validate",kind="VirtualMachine",operation="CREATE",outcome="denied"}'
    before = door.counted(judged)

    for smuggled in (
        head + b"content-length: 0\r\ncontent-length: 5\r\n\r\n",
        head + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        head + b"x: y\ncontent-length: 0\r\n\r\n",
        post("/validate", b"{}"),
    ):
        with Wire(door.server.admission_port, door.trust) as wire:
            assert wire.send(smuggled, behind).answer().status == 400
            wire.rest()

    assert door.counted(judged) == before


def test_i17_who_does_not_speak_is_cut_while_others_are_served(door: Doorway) -> None:
    """
    I17: a hello that never ends is cut after 5 seconds, a byte every two seconds after 10; others notice nothing.
    """
    ended: dict[str, float] = {}
    body = post("/validate", review("CREATE", secretive()))

    def hello() -> None:
        with Wire(door.server.admission_port) as wire:
            wire.send(b"\x16\x03\x01")
            wire.rest()

    def drip(size: int) -> None:
        with Wire(door.server.admission_port, door.trust) as wire:
            wire.send(body[:size])
            wire.socket.settimeout(2)
            for byte in body[size:]:
                wire.send(bytes([byte]))
                try:
                    if not wire.socket.recv(1):
                        return
                except TimeoutError:
                    continue
                except OSError:
                    return

    def timed(name: str, what: Any, *arguments: Any) -> None:
        began = time.monotonic()
        what(*arguments)
        ended[name] = time.monotonic() - began

    slow = [
        threading.Thread(target=timed, args=("hello", hello)),
        threading.Thread(target=timed, args=("headers", drip, 10)),
        threading.Thread(target=timed, args=("body", drip, len(body) - 1000)),
    ]
    for each in slow:
        each.start()
    served = 0
    while any(each.is_alive() for each in slow):
        assert door.review(review("CREATE", secretive())).warnings == []
        served += 1
        slow[-1].join(0.2)

    assert {name: seconds < 20 for name, seconds in ended.items()} == {"hello": True, "headers": True, "body": True}
    assert ended["headers"] < ended["body"]
    assert served > 10


# --- I18 to I24: at the object


def test_i18_ten_thousand_violations_fit_into_one_answer(door: Doorway) -> None:
    """
    I18: ten thousand volumes with a violation each are answered within a second of work, in under 4 KiB of message, the
    first ten and "and 9990 more", always the same ones.
    """
    volumes = [on_claim("single", f"disk{number}") for number in range(10_000)]
    body = review("CREATE", secretive(volumes=volumes))
    began = cpu_seconds(door)

    first = door.review(body)
    worked = cpu_seconds(door) - began
    second = door.review(body)

    causes = first.response["status"]["details"]["causes"]
    assert [each["field"] for each in causes[:-1]] == [f"{AT_SPEC}.volumes[{number}]" for number in range(10)]
    assert causes[-1]["message"] == "and 9990 more"
    assert len(first.response["status"]["message"].encode()) <= 4096
    assert first.body == second.body
    assert worked < 1


NAMES = ["../secrets/db", "a%2f..", "x?watch=1", "a" * 254, "", "A", "-a", "a/b", "a\u0000"]


@pytest.mark.parametrize("name", NAMES)
def test_i19_a_name_that_none_can_have_is_told(door: Doorway, name: str) -> None:
    """
    I19: a claim name that cannot be one is unproven (KubeVirt admits such a VM, which then never starts).
    """
    told = door.review(review("CREATE", secretive(volumes=[on_claim(name)])))

    (warning,) = told.warnings
    assert warning.startswith(f"[LM201] {AT_SPEC}.volumes[0]: ")
    assert warning.isprintable()
    assert told.response["auditAnnotations"]["live-migratable"] == "unproven"


@pytest.mark.parametrize("network", ["kube-system/secret-net", "a/b/c", "/x", "x/", "", '[{"name": "x"}]'])
def test_i20_networks_of_others_are_not_looked_for(door: Doorway, network: str) -> None:
    """
    I20: what is behind a NetworkAttachmentDefinition's name has no part in a VM's verdict, so nothing is told of it.
    """
    spec = {"networks": [{"name": "default", "multus": {"networkName": network}}]}

    told = door.review(review("CREATE", secretive(**spec)))

    assert told.response["allowed"] is True
    assert b"secret-net" not in told.body


MARKS = [
    "migratable.io/exempt",
    "migratable/exempt",
    "kubevirt.io/exempt",
    "admission.migratable/ignore",
    "policy.migratable.io/action",
]


def test_i21_nobody_exempts_himself(door: Doorway) -> None:
    """
    I21: whatever a tenant writes on his VM, or claims in a review about who he is, the violation is refused.
    """
    manifest = secretive(volumes=[on_claim("single")])
    manifest["metadata"]["annotations"] |= dict.fromkeys(MARKS, "true")
    manifest["metadata"]["labels"] = dict.fromkeys(MARKS, "true")
    manifest["spec"]["template"]["metadata"]["annotations"] = dict.fromkeys(MARKS, "LM201")
    plain = secretive(volumes=[on_claim("single")])

    told = [
        door.review(review("CREATE", manifest)),
        door.review(review("CREATE", plain, user="system:serviceaccount:tenant:kubevirt-controller")),
        door.review(review("CREATE", plain, user="system:serviceaccount:kubevirt:kubevirt-controllers")),
        door.review(review("CREATE", plain, user="system:admin")),
    ]

    assert [list(each.causes) for each in told] == [[f"{AT_SPEC}.volumes[0]"]] * 4


def test_i22_what_only_servers_write_counts_for_nothing_in_a_new_object(door: Doorway) -> None:
    """
    I22: deletionTimestamp, status and managedFields in a new object exempt it from nothing.
    """
    manifest = secretive(volumes=[on_claim("single")])
    manifest["metadata"] |= {
        "deletionTimestamp": "2020-01-01T00:00:00Z",
        "managedFields": [{"manager": "kubevirt-controller", "operation": "Update"}],
        "uid": UID,
    }
    manifest["status"] = {"ready": True, "conditions": [{"type": "LiveMigratable", "status": "True"}]}
    instance = {
        **manifest,
        "kind": "VirtualMachineInstance",
        "spec": manifest["spec"]["template"]["spec"],
        "status": {"migratedVolumes": [{"volumeName": "os"}], "phase": "Running"},
    }

    told = [door.review(review("CREATE", each)) for each in (manifest, instance)]

    assert [list(each.causes) for each in told] == [[f"{AT_SPEC}.volumes[0]"], ["spec.volumes[0]"]]


@pytest.mark.parametrize(
    ("reference", "why"),
    [
        ({"name": "missing"}, "VirtualMachineClusterInstancetype 'missing' is not in the input"),
        ({"name": "missing", "revisionName": "missing"}, "ControllerRevision 'missing' is not in the input"),
        ({"name": "x", "revisionName": "junk"}, "ControllerRevision 'junk'"),
        ({"name": "x", "kind": "Deployment"}, "instancetype 'x' has the unknown kind 'Deployment'"),
        ({"inferFromVolume": "missing"}, "the instancetype is inferred from volume 'missing'"),
        ({}, ""),
    ],
    ids=["missing", "missing revision", "junk", "another kind", "inferred from nothing", "empty"],
)
def test_i23_an_instancetype_that_is_none_leaves_the_verdict_open(door: Doorway, reference: Manifest, why: str) -> None:
    """
    I23: an instancetype or revision that is missing, of another kind, or junk is unproven and says why; it never makes a
    VM migratable, and junk never crashes.
    """
    manifest = secretive(outer={"instancetype": reference})

    told = door.review(review("CREATE", manifest))

    assert told.response["auditAnnotations"]["live-migratable"] != "true"
    assert why in told.warnings[0]


def test_i24_secrets_are_told_to_nobody(door: Doorway) -> None:
    """
    I24: what stands in cloud-init, next to fields that are broken in every way, comes back in no answer, log or metric.
    """
    broken: list[Any] = [5, None, True, [CANARY], {"key": CANARY}, CANARY]
    for value in broken:
        for volume in (
            {"name": "c", "cloudInitNoCloud": {"userData": CANARY, "networkData": value}},
            {"name": "c", "cloudInitNoCloud": {"userData": CANARY}, "persistentVolumeClaim": {"claimName": 5}},
            {"name": "c", "cloudInitNoCloud": value},
            {"name": "c", "persistentVolumeClaim": value, "cloudInitNoCloud": {"userData": CANARY}},
            value,
        ):
            manifest = secretive(volumes=[volume])

            told = door.review(review("CREATE", manifest))
            checked = door.check(json.dumps(manifest).encode())
            listed = door.check(json.dumps({"kind": "List", "apiVersion": "v1", "items": [manifest, value]}).encode())

            assert told.status == 200
            assert {checked.status, listed.status} <= {200, 400}
