"""Metrics and log lines for reviews without a verdict."""

import itertools
import logging
from collections.abc import Callable

import pytest

from tests.surfaces.admission.reviews import review, vm
from tests.surfaces.admission.test_endpoint import CREATION, door, post
from tests.surfaces.admission.test_large import large
from tests.surfaces.admission.test_record import Counting
from tests.surfaces.admission.test_timed_out import GOOD, Cluster, world
from webhook.surfaces.admission.endpoint import MAX_LARGE_OF_ONE, AdmissionApp


class Reviews(Counting):
    """Keeps each review with the seconds that it took."""

    def reviewed(self, door: str, kind: str, operation: str, outcome: str, seconds: float) -> None:
        self.counted.append((door, kind, operation, outcome, f"{seconds:.0f}"))


def crowded() -> AdmissionApp:
    to = door()
    to.large["tenant"] = MAX_LARGE_OF_ONE
    return to


def ticking(to: AdmissionApp) -> Reviews:
    """The door's clock goes on by a second at each look."""
    ticks = itertools.count(100)
    to.clock = lambda: float(next(ticks))
    to.observer = Reviews()
    return to.observer


@pytest.mark.parametrize("path", ["/validate", "/mutate"])
@pytest.mark.parametrize(
    ("made", "body", "status", "counted"),
    [
        (door, b"{", 400, ("unreadable", "", "bad", "1")),
        (crowded, large(), 503, ("unread", "", "shed", "1")),
    ],
    ids=["bad", "shed"],
)
def test_a_review_without_an_answer_is_counted(
    made: Callable[[], AdmissionApp], body: bytes, status: int, counted: tuple[str, ...], path: str
) -> None:
    """
    By the door, with no kind and no operation, and the seconds since it began.
    """
    to = made()
    reviews = ticking(to)

    assert post(to, body, path).status == status
    assert reviews.counted == [(path[1:], *counted)]


def test_a_late_review_is_counted_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    """
    With the size of its body and its path, and nothing of what it holds.
    """
    to = door(Cluster(world(GOOD), world()))
    to.observer = Reviews()

    with caplog.at_level(logging.WARNING, "migratable.admission"):
        answer = post(to, CREATION)

    assert answer.status == 503
    assert [review_counted[:4] for review_counted in to.observer.counted] == [("validate", "unread", "", "late")]
    assert logged(caplog) == [("late", len(CREATION), "/validate")]


def test_a_bad_review_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """
    With the size of its body and its path, and nothing of what it holds.
    """
    with caplog.at_level(logging.WARNING, "migratable.admission"):
        post(door(), b"{", "/mutate")

    assert logged(caplog) == [("bad review", 1, "/mutate")]


def logged(caplog: pytest.LogCaptureFixture) -> list[tuple[str, int, str]]:
    return [(record.getMessage(), record.__dict__["bytes"], record.__dict__["path"]) for record in caplog.records]


@pytest.mark.parametrize(("path", "outcome"), [("/validate", "denied"), ("/mutate", "allowed")])
def test_an_unreadable_object_is_denied_by_validation_alone(path: str, outcome: str) -> None:
    """
    No default is filled in; the review is counted without its kind.
    """
    to = door()
    reviews = ticking(to)

    answer = post(to, review("CREATE", vm(nodeSelector=7)), path)

    assert answer.json["response"]["allowed"] is (outcome == "allowed")
    assert reviews.counted == [(path[1:], "unreadable", "", outcome, "1")]


KUBEVIRT = {"apiVersion": "kubevirt.io/v1", "kind": "KubeVirt", "metadata": {"name": "a", "namespace": "b"}, "spec": {}}
POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "tenant"}}
GPU = {"domain": {"devices": {"gpus": [{"name": "g", "deviceName": "example.com/gpu"}]}}}


@pytest.mark.parametrize(
    ("path", "body", "counted"),
    [
        ("/validate", review("CREATE", vm()), ("VirtualMachine", "CREATE", "allowed")),
        ("/validate", review("CREATE", vm(**GPU)), ("VirtualMachine", "CREATE", "denied")),
        ("/validate", review("DELETE", None, vm()), ("VirtualMachine", "DELETE", "allowed")),
        ("/validate", review("CREATE", POD), ("unexpected", "CREATE", "allowed")),
        ("/mutate", review("CREATE", KUBEVIRT), ("KubeVirt", "CREATE", "patched")),
        ("/mutate", review("CREATE", vm()), ("VirtualMachine", "CREATE", "allowed")),
    ],
    ids=["allowed", "denied", "deleted", "not judged", "patched", "no default"],
)
def test_an_answered_review_is_counted(path: str, body: bytes, counted: tuple[str, ...]) -> None:
    """
    By the door, kind, operation and outcome, with the seconds since it began; a kind that is not judged has no name of its own.
    """
    to = door()
    reviews = ticking(to)

    assert post(to, body, path).status == 200
    assert [labels for labels in reviews.counted if labels[0] == path[1:]] == [(path[1:], *counted, "1")]
