"""A review that is read in one pass is the review that is read in two."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.surfaces.admission.reviews import review, vm
from tests.surfaces.admission.test_endpoint import CAPTURED
from webhook.objects.json_depth import MAX_DEPTH
from webhook.objects.review import AdmissionRequest, RawRequest
from webhook.surfaces.admission import requests
from webhook.surfaces.admission.requests import BadReview, DecodedRequest, UnreadableRequest, read_review

VALUES: list[Any] = [None, 1, "x", True, [], {}, [1], {"a": "b"}]


def compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def seen(read: DecodedRequest | UnreadableRequest) -> tuple[object, ...]:
    """All that is read except the raw objects."""
    fields = [getattr(read.request, name) for name in AdmissionRequest.__struct_fields__]
    if isinstance(read, DecodedRequest):
        more: tuple[object, ...] = (read.kind, read.same_as_unreadable, bytes(read.raw_object()))
    else:
        more = (read.causes, read.passes)
    return (type(read), read.object, read.old, *fields, *more)


def in_two_passes(body: bytes, monkeypatch: pytest.MonkeyPatch) -> object:
    with monkeypatch.context() as patch:
        patch.setattr(requests, "_read_at_once", lambda _: None)
        return result(body)


def result(body: bytes) -> object:
    try:
        return seen(read_review(body))
    except BadReview as error:
        return str(error)


@pytest.mark.parametrize("file", CAPTURED, ids=lambda file: file.stem)
def test_captured_reviews_are_read_in_the_same_way(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    As an API server wrote them, and without white space.
    """
    for body in (file.read_bytes(), compact(json.loads(file.read_bytes()))):
        assert result(body) == in_two_passes(body, monkeypatch)


def test_a_usual_review_takes_one_pass() -> None:
    """
    Its request has no raw objects; the raw object is read from the body if a patch needs it.
    """
    body = review("UPDATE", vm("new"), vm("old"))
    read = read_review(body)

    assert isinstance(read, DecodedRequest)
    assert not isinstance(read.request, RawRequest)
    assert json.loads(bytes(read.raw_object()))["metadata"]["name"] == "new"


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, child in inner for place in places(child, (*path, key)))]


REVIEWS = [json.loads(file.read_bytes()) for file in CAPTURED]


@given(st.data())
def test_a_changed_review_is_read_in_the_same_way(data: st.DataObject) -> None:
    """
    With any value removed or replaced: of the request, of the envelope, or deep in an object.
    """
    whole = json.loads(json.dumps(data.draw(st.sampled_from(REVIEWS))))
    *path, last = data.draw(st.sampled_from(places(whole)[1:]))
    at = whole
    for key in path:
        at = at[key]
    if data.draw(st.booleans()):
        at[last] = data.draw(st.sampled_from(VALUES))
    else:
        del at[last]

    with pytest.MonkeyPatch.context() as monkeypatch:
        body = compact(whole)
        assert result(body) == in_two_passes(body, monkeypatch)


@pytest.mark.parametrize("levels", [MAX_DEPTH - 8, MAX_DEPTH, MAX_DEPTH + 8, 2000])
@pytest.mark.parametrize("place", ["template", "metadata"])
def test_a_deep_object_is_read_in_the_same_way(levels: int, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Below and above the limit, in the judged part and outside.
    """
    body = review("CREATE", vm()).replace(
        b'"%b":{' % place.encode(), b'"%b":{"x":%b%b,' % (place.encode(), b"[" * levels, b"]" * levels), 1
    )

    assert result(body) == in_two_passes(body, monkeypatch)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"kind":"VirtualMachine"}', b'"kind":"KubeVirt"}'),
        (b'"operation":', b'"kind":{"group":"kubevirt.io","version":"v1","kind":"KubeVirt"},"operation":'),
        (b'"operation":', b'"object":{"spec":1},"operation":'),
        (b'"uid":"', b'"uid":"\\u0041'),
        (b'"uid":"', b'"uid":"\xff'),
        (b'"request":{', b'"request":null,"request":{'),
    ],
    ids=["another kind", "two kinds", "two objects", "escape", "no UTF-8", "two requests"],
)
def test_a_forged_start_changes_nothing(old: bytes, new: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The kind at the start of the body only chooses the way. The last value of a key counts.
    """
    body = review("CREATE", vm()).replace(old, new, 1)

    assert result(body) == in_two_passes(body, monkeypatch)


@pytest.mark.parametrize(
    "body",
    [
        review("CREATE", {**vm(status={"created": True}), "metadata": {"name": "web"}}),
        review("UPDATE", vm()),
        review("DELETE", None, vm()),
        review("CONNECT", vm()),
        review("CREATE", vm()).replace(b'"object":{', b'"object":null,"other":{'),
        review("CREATE", {**vm(), "metadata": {"name": "web", "labels": {"a": 1}}}),
    ],
    ids=["without namespace, with status", "without old object", "deletion", "connect", "without object", "bad label"],
)
def test_an_incomplete_object_is_completed_in_the_same_way(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A new object has no status, and the namespace of the request.
    """
    assert result(body) == in_two_passes(body, monkeypatch)
