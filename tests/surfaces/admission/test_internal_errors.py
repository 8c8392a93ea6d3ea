"""Internal errors of the endpoint: the log does not quote them, and they never turn a denial into an allow."""

import pytest

from tests.surfaces.admission.reviews import review, vm
from tests.surfaces.admission.test_endpoint import CANARY, CREATION, UID, Broken, door, post, response
from tests.surfaces.admission.test_large import large
from webhook.surfaces.admission.configurations import LATE_DENIES
from webhook.surfaces.admission.endpoint import MAX_LARGE_OF_ONE

UNREADABLE = review("CREATE", vm(nodeSelector=7))


def logged(caplog: pytest.LogCaptureFixture) -> tuple[str, str, str, str | None, str | None]:
    """Logger, level, message, UID and class of the error of the only record."""
    (record,) = caplog.records
    extra = record.__dict__
    return record.name, record.levelname, record.getMessage(), extra.get("uid"), extra.get("error")


def test_an_error_while_judging_is_logged_by_its_class(caplog: pytest.LogCaptureFixture) -> None:
    """
    The record has the review's UID, and nothing of what the error says.
    """
    post(door(Broken([])), CREATION)

    assert logged(caplog) == ("migratable.admission", "ERROR", "internal error", UID, "RuntimeError")


def test_an_object_that_cannot_be_read_stays_denied(caplog: pytest.LogCaptureFixture) -> None:
    """
    If the policy cannot be applied to it, the answer has the same causes.
    """
    said = response(post(door(Broken([])), UNREADABLE))

    assert said == response(post(door(), UNREADABLE))
    assert not said["allowed"]
    assert logged(caplog) == ("migratable.admission", "ERROR", "internal error", None, "RuntimeError")
    assert CANARY not in caplog.text


def test_a_late_review_with_an_internal_error_gets_503(caplog: pytest.LogCaptureFixture) -> None:
    """
    503 with Retry-After, also at the path where lateness denies.
    """
    to = door(Broken([]))
    to.large["tenant"] = MAX_LARGE_OF_ONE

    answer = post(to, large(), LATE_DENIES)

    assert (answer.status, answer.header("retry-after")) == (503, "1")
    assert logged(caplog) == ("migratable.admission", "ERROR", "internal error", None, "RuntimeError")
    assert CANARY not in caplog.text + answer.text
