"""Lists of a kind, page by page."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from tests.clocks import Clock
from tests.cluster.fake_apiserver import FakeTransport, Get, answer, claim, document, fixed, listed
from webhook.cluster.pages import BUSY_SECONDS, LONGEST_PAUSE, Lister, NotListed, NotServed
from webhook.cluster.ports import Answer
from webhook.errors import Unavailable
from webhook.objects.kinds import BY_CLASS
from webhook.objects.nad import NetworkAttachmentDefinition
from webhook.objects.storage import PersistentVolumeClaim

CLAIMS = "/api/v1/persistentvolumeclaims"
CLAIM = BY_CLASS[PersistentVolumeClaim]


def names(answers: Get, clock: Clock | None = None, within: float = 60.0) -> list[str]:
    clock = clock or Clock()
    lister = Lister(FakeTransport(answers), within, clock=clock, wait=clock.wait)
    return [json.loads(bytes(item.raw))["metadata"]["name"] for item in lister.every(CLAIM)]


def in_turn(*replies: Answer | None) -> Get:
    """Answers of successive requests. None is a broken connection. The last answer repeats."""
    remaining = list(replies)

    def reply(_path: str, _query: Mapping[str, str]) -> Answer:
        one = remaining.pop(0) if len(remaining) > 1 else remaining[0]
        if one is None:
            raise Unavailable("no answer", remedy="Try again.")
        return one

    return reply


def test_all_pages_are_read() -> None:
    """
    The token of a page asks for the next.
    """
    pages = {"": listed(claim("a"), token="1"), "1": listed(claim("b"), claim("c"))}

    assert names(lambda _, query: pages[query.get("continue", "")]) == ["a", "b", "c"]


def test_a_list_goes_on_at_the_newest_state_if_its_token_has_expired() -> None:
    """
    The 410 response contains a new token.
    """
    expired = answer({"kind": "Status", "code": 410, "metadata": {"continue": "new"}}, 410)
    pages = {"": listed(claim("a"), token="old"), "old": expired, "new": listed(claim("b"))}

    assert names(lambda _, query: pages[query.get("continue", "")]) == ["a", "b"]


def test_a_list_whose_tokens_always_expire_is_not_complete() -> None:
    """
    The requests are not repeated without end.
    """
    expired = answer({"kind": "Status", "code": 410, "metadata": {"continue": "new"}}, 410)
    transport = FakeTransport(in_turn(listed(claim("a"), token="old"), expired))

    with pytest.raises(NotListed) as caught:
        list(Lister(transport, 600.0, clock=Clock(), wait=lambda _: None).every(CLAIM))

    assert caught.value.status == 410
    assert len(transport.asked) == 6


def test_all_pages_have_the_same_selector_and_format() -> None:
    """
    Also a page with a new token.
    """
    expired = answer({"kind": "Status", "code": 410, "metadata": {"continue": "new"}}, 410)
    transport = FakeTransport(in_turn(listed(claim("a"), token="old"), expired, listed(claim("b"))))

    list(Lister(transport, 60.0, clock=Clock()).every(CLAIM, labels="a=b", accept="application/x"))

    queries = [
        {"limit": "500", "labelSelector": "a=b", **more} for more in ({}, {"continue": "old"}, {"continue": "new"})
    ]
    assert transport.queries == queries
    assert transport.accepts == ["application/x"] * 3


def test_a_pause_can_end_a_list() -> None:
    """
    When the program stops.
    """
    transport = FakeTransport(fixed({CLAIMS: answer({}, 503)}))

    with pytest.raises(NotListed):
        list(Lister(transport, 60.0, clock=Clock(), wait=lambda _: True).every(CLAIM))

    assert len(transport.asked) == 1


def test_a_list_without_a_new_token_is_not_complete() -> None:
    """
    Half a list is never taken for a whole one.
    """
    with pytest.raises(NotListed):
        names(in_turn(listed(claim("a"), token="old"), answer({"kind": "Status"}, 410)))


@pytest.mark.parametrize("broken", [None, answer({}, 429), answer({}, 503), answer({}, 500)])
def test_a_page_is_asked_again_after_a_pause(broken: Answer | None) -> None:
    """
    The pauses grow.
    """
    clock = Clock()

    assert names(in_turn(listed(claim("a"), token="1"), broken, broken, listed(claim("b"))), clock) == ["a", "b"]
    assert clock.pauses == sorted(clock.pauses)
    assert len(clock.pauses) == 2


def test_a_page_that_never_comes_ends_the_list() -> None:
    """
    After five tries, if there is no response at all. The error has the cause.
    """
    transport = FakeTransport(in_turn(listed(claim("a"), token="1"), None))

    with pytest.raises(NotListed, match="return PVCs: no answer"):
        list(Lister(transport, 600.0, clock=Clock(), wait=lambda _: None).every(CLAIM))

    assert len(transport.asked) == 6


@pytest.mark.parametrize("status", [429, 503, 504])
def test_a_busy_api_server_is_given_two_minutes(status: int) -> None:
    """
    An API server that has just started answers so until its cache has read all objects of the kind.
    """
    busy = [answer({}, status)] * 15
    clock = Clock()

    assert names(in_turn(*busy, listed(claim("a"))), clock, within=600.0) == ["a"]
    assert 60 < sum(clock.pauses) < BUSY_SECONDS
    assert max(clock.pauses) == LONGEST_PAUSE

    clock = Clock()
    with pytest.raises(NotListed, match=f"return PVCs: HTTP {status}"):
        names(in_turn(answer({}, status)), clock, within=600.0)
    assert BUSY_SECONDS <= sum(clock.pauses) < BUSY_SECONDS + LONGEST_PAUSE


def test_a_cluster_that_does_not_answer_is_waited_for_once() -> None:
    """
    The next list is tried once, and as often as before after an answer.
    """
    transport = FakeTransport(in_turn(*[None] * 6, listed(claim("a")), None))
    lister = Lister(transport, 600.0, clock=Clock(), wait=lambda _: None)

    for _ in range(2):
        with pytest.raises(NotListed):
            list(lister.every(CLAIM))
    assert len(transport.asked) == 6
    assert len(list(lister.every(CLAIM))) == 1
    with pytest.raises(NotListed):
        list(lister.every(CLAIM))

    assert len(transport.asked) == 12


def test_the_time_limit_ends_a_list() -> None:
    """
    Also between tries.
    """
    with pytest.raises(NotListed, match="return PVCs in time"):
        names(in_turn(answer({}, 503)), within=1.0)


def test_a_kind_without_definition_is_not_served() -> None:
    """
    All its versions were tried. A built-in kind is always served.
    """
    lister = Lister(FakeTransport(fixed({})), 60.0, clock=Clock(), wait=lambda _: None)

    with pytest.raises(NotServed):
        list(lister.every(BY_CLASS[NetworkAttachmentDefinition]))
    with pytest.raises(NotListed):
        list(lister.every(CLAIM))


def test_an_account_without_rights_is_told_the_verbs() -> None:
    """
    401 and 403 are not tried again.
    """
    transport = FakeTransport(in_turn(answer({}, 403)))

    with pytest.raises(NotListed) as caught:
        list(Lister(transport, 60.0, clock=Clock(), wait=lambda _: None).every(CLAIM))

    assert "list" in caught.value.unread.settle
    assert len(transport.asked) == 1


def test_a_list_of_one_namespace_is_asked_there() -> None:
    """
    The path names the namespace.
    """
    transport = FakeTransport(in_turn(listed(document("a"))))

    list(Lister(transport, 60.0, clock=Clock()).every(CLAIM, "shop"))

    assert transport.asked == ["/api/v1/namespaces/shop/persistentvolumeclaims"]


def test_a_response_that_is_no_list_ends_the_list() -> None:
    """
    A proxy's page, for example.
    """
    with pytest.raises(NotListed):
        names(in_turn(Answer(200, b"<html>")))


def test_a_kind_without_objects_has_no_items() -> None:
    """
    Go writes an empty list as null.
    """
    assert names(in_turn(Answer(200, msgspec.json.encode({"metadata": {}, "items": None})))) == []


@pytest.mark.parametrize(("within", "request_seconds", "timeout"), [(60.0, 30.0, 30.0), (20.0, 30.0, 20.0)])
def test_a_request_ends_before_the_list(within: float, request_seconds: float, timeout: float) -> None:
    """
    A response that never comes does not use all the time of a list.
    """
    timeouts: list[float] = []

    class Timed(FakeTransport):
        def get(self, *args: Any, timeout_seconds: float, **more: Any) -> Answer:
            timeouts.append(timeout_seconds)
            return super().get(*args, timeout_seconds=timeout_seconds, **more)

    transport = Timed(fixed({CLAIMS: listed(claim("a"))}))

    list(Lister(transport, within, clock=Clock(), request_seconds=request_seconds).every(CLAIM))

    assert timeouts == [timeout]
