"""Decoding of a review: its request, its objects, and the namespace in its first bytes."""

import json
import re
from typing import Any

import pytest

from tests.generating.hostile import deep, rendered
from tests.surfaces.admission.reviews import read, review, vm
from tests.surfaces.admission.test_readable import body_of, mistyped
from webhook.objects.review import StatusCause
from webhook.objects.vm import VirtualMachine
from webhook.surfaces.admission.requests import BadReview, DecodedRequest, UnreadableRequest, namespace_in, read_review


def envelope(operation: str = "CREATE", new: Any = None, old: Any = None, **request: Any) -> bytes:
    """A review of a VM in which fields of the request are replaced, or left out where they are ``...``."""
    body = json.loads(review(operation, vm()))
    body["request"] |= {"object": new, "oldObject": old} | request
    body["request"] = {key: value for key, value in body["request"].items() if value is not ...}
    return rendered(body)


def without(body: bytes, **changed: Any) -> bytes:
    return json.dumps(json.loads(body) | changed).encode()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "the body is not an AdmissionReview in JSON"),
        (envelope(new=vm(), uid=7), "the body is not an AdmissionReview in JSON"),
        (envelope(new={"a": "@"}).replace(b"@", b"\xff"), "the body is not an AdmissionReview in JSON"),
        (without(envelope(), kind="Review"), "the body is not an AdmissionReview of admission.k8s.io/v1"),
        (
            without(envelope(), apiVersion="admission.k8s.io/v1beta1"),
            "the body is not an AdmissionReview of admission.k8s.io/v1",
        ),
        (without(envelope(), request=None), "the AdmissionReview has no request"),
        (envelope(new=vm(), uid=""), "the AdmissionReview's request.uid is empty or too long"),
        (envelope(new=vm(), uid="a" * 257), "the AdmissionReview's request.uid is empty or too long"),
        (envelope("UPDATE", vm()), "an UPDATE without oldObject"),
        (envelope("UPDATE", vm(), ...), "an UPDATE without oldObject"),
        (envelope("UPDATE", None, vm()), "a UPDATE without object"),
        (envelope("CREATE"), "a CREATE without object"),
        (envelope("CREATE", ...), "a CREATE without object"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_body_that_no_api_server_sends_is_a_bad_review(body: bytes, reason: str) -> None:
    """
    The line names the fault and repeats nothing of the body.
    """
    with pytest.raises(BadReview, match=f"^{re.escape(reason)}$"):
        read_review(body)


@pytest.mark.parametrize("uid", ["a", "a" * 256])
def test_a_uid_has_one_to_256_characters(uid: str) -> None:
    """
    Whatever characters they are.
    """
    told = read_review(envelope(new=vm(), uid=uid))

    assert isinstance(told, DecodedRequest)
    assert told.request.uid == uid


@pytest.mark.parametrize("new", [None, ...])
def test_only_creations_and_updates_need_an_object(new: Any) -> None:
    """
    A deletion has an old object alone, and CONNECT may have none.
    """
    told, connect = read_review(envelope("DELETE", new, vm())), read_review(envelope("CONNECT", new, new))

    assert isinstance(told, DecodedRequest)
    assert isinstance(connect, DecodedRequest)
    assert (told.object, told.old is not None) == (None, True)
    assert (connect.object, connect.old) == (None, None)


@pytest.mark.parametrize(
    ("machine", "cause"),
    [
        (
            mistyped(7),
            StatusCause(
                "FieldValueInvalid",
                "wrong type: expected a mapping, got an integer",
                "spec.template.spec.nodeSelector",
            ),
        ),
        (7, StatusCause("FieldValueInvalid", "wrong type: expected a mapping, got an integer", "object")),
        (
            vm(b=deep(3_000), a=deep(3_000)),
            StatusCause(
                "FieldValueInvalid",
                "nesting deeper than 512 levels. KubeVirt reads no field this deep",
                "spec.template.spec.a",
            ),
        ),
        (
            mistyped(7, affinity={"nodeAffinity": deep(3_000)}),
            StatusCause(
                "FieldValueInvalid",
                "wrong type: expected a mapping, got an integer",
                "spec.template.spec.nodeSelector",
            ),
        ),
    ],
    ids=["wrong type", "no object", "deep twice", "wrong type and deep"],
)
def test_a_cause_has_a_message_and_a_field_path(machine: Any, cause: StatusCause) -> None:
    """
    One cause for each object: its first wrong type, or else the first place that nests too deep.
    """
    told = read_review(envelope(new=machine))

    assert isinstance(told, UnreadableRequest)
    assert (told.causes, told.passes, told.old) == ((cause,), False, None)
    assert told.object is not None
    assert told.object.name == ("" if machine == 7 else "web")


def test_a_number_that_no_type_can_hold_hides_no_other_fault() -> None:
    """
    The cause names the field of the wrong type, also where the status holds 1e999.
    """
    told = read_review(envelope(new=mistyped(7, status={"x": "@"})).replace(b'"@"', b"1e999"))

    assert isinstance(told, UnreadableRequest)
    assert [cause.field for cause in told.causes] == ["spec.template.spec.nodeSelector"]


def test_the_place_named_is_in_the_new_object_not_in_the_old_one() -> None:
    """
    Where both objects nest too deep, the cause names the place that is new.
    """
    old = vm(affinity={"a": deep(3_000)})
    new = vm(affinity={"a": deep(3_000)}, tolerations=[deep(3_000)])

    told = read_review(body_of("UPDATE", new, old))

    assert isinstance(told, UnreadableRequest)
    assert [cause.field for cause in told.causes] == ["spec.template.spec.tolerations[0]"]
    assert isinstance(read_review(body_of("UPDATE", old, new)), DecodedRequest)


def test_a_repair_may_leave_what_nested_too_deep_before() -> None:
    """
    A wrong type that is put right passes, though a value beside it still nests too deep.
    """
    old = mistyped(7, affinity={"a": deep(3_000)})

    assert isinstance(read_review(body_of("UPDATE", vm(affinity={"a": deep(3_000)}), old)), DecodedRequest)


def test_an_object_has_the_namespace_of_its_request() -> None:
    """
    Unless it names one itself; its other metadata stays, and a cluster-scoped object gets none.
    """
    bare, nameless = vm(), vm()
    bare["metadata"] = {"name": "web", "labels": {"a": "b"}}
    del nameless["metadata"]
    cluster_wide = {
        "apiVersion": "migrations.kubevirt.io/v1alpha1",
        "kind": "MigrationPolicy",
        "metadata": {"name": "a"},
    }
    told = [
        read_review(body)
        for body in (
            envelope(new=bare),
            envelope(new=nameless),
            envelope(new=vm(), namespace="other"),
            review("CREATE", cluster_wide),
        )
    ]

    objects = [request.object for request in told if isinstance(request, DecodedRequest) and request.object is not None]
    assert [item.meta.namespace for item in objects] == ["tenant", "tenant", "tenant", None]
    assert (objects[0].name, objects[0].meta.labels) == ("web", {"a": "b"})


def test_a_new_object_has_no_status() -> None:
    """
    An API server stores none on creation; on updates the status is that of the request.
    """
    status = {"created": True}
    created, updated = (
        read_review(envelope(new=vm(status=status))),
        read_review(envelope("UPDATE", vm(status=status), vm())),
    )

    assert isinstance(created, DecodedRequest)
    assert isinstance(updated, DecodedRequest)
    assert isinstance(created.object, VirtualMachine)
    assert isinstance(updated.object, VirtualMachine)
    assert created.object.status is None
    assert updated.object.status is not None
    assert updated.object.status.created is True


NAMED = b'"namespace":"tenant","operation"'


@pytest.mark.parametrize(
    ("body", "namespace"),
    [
        (NAMED, "tenant"),
        (b'{"namespace" : "tenant" ,\n "operation": "CREATE"}', "tenant"),
        (b" " * (8192 - len(NAMED)) + NAMED, "tenant"),
        (b" " * (8193 - len(NAMED)) + NAMED, ""),
        (b'"namespace":"Tenant","operation"', ""),
        (b'"namespace":"tenant","object"', ""),
        (b"{}", ""),
    ],
    ids=["plain", "spaced", "at the end of the head", "behind it", "no DNS label", "another field", "none"],
)
def test_the_namespace_of_a_large_review_is_in_its_head(body: bytes, namespace: str) -> None:
    """
    API servers write it directly before the operation, within the first 8 KiB; anything else names none.
    """
    assert namespace_in(body) == namespace


def test_objects_of_a_kind_that_is_not_judged_are_not_read() -> None:
    """
    A claim is a fact for others; whatever it holds, its own request passes.
    """
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "a"}, "spec": 7}

    told = read_review(review("CREATE", claim))

    assert isinstance(told, DecodedRequest)
    assert (told.kind, told.object, told.old, told.same_as_unreadable) == (None, None, None, False)


def test_an_unreadable_object_comes_with_the_stored_one() -> None:
    """
    All of it where it can be read, else its metadata.
    """
    decoded, mended = (
        read_review(body_of("UPDATE", mistyped(7), vm())),
        read_review(body_of("UPDATE", mistyped(7), mistyped(8))),
    )

    assert isinstance(decoded, UnreadableRequest)
    assert isinstance(mended, UnreadableRequest)
    assert decoded.old == read(vm())
    assert mended.old is not None
    assert mended.old.meta == read(vm()).meta
    assert mended.old != read(vm())
