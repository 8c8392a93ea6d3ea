"""What a user may read in other namespaces, by SubjectAccessReviews."""

from collections.abc import Mapping

import pytest

from webhook.cluster.access_reviews import User
from webhook.cluster.readable import MOST_QUESTIONS, REMEMBERED_SECONDS, Rights, UserPermissions
from webhook.errors import Unavailable
from webhook.objects.nad import NetworkAttachmentDefinition
from webhook.objects.storage import DataSource, PersistentVolumeClaim

JANE = User("jane", "1", ("system:authenticated",), {"scopes": ["a"]})
GET_CLAIM = {"verb": "get", "group": "", "resource": "persistentvolumeclaims", "namespace": "images", "name": "golden"}
CLONE = {
    "verb": "create",
    "group": "cdi.kubevirt.io",
    "resource": "datavolumes",
    "subresource": "source",
    "namespace": "images",
    "name": "golden",
}
NETWORKS = {"group": "k8s.cni.cncf.io", "resource": "network-attachment-definitions"}


class Reviews:
    """An API server that grants some rights, and notes what it was asked."""

    def __init__(self, *granted: Mapping[str, str]) -> None:
        self.granted = granted
        self.asked: list[tuple[User, Mapping[str, str], float]] = []

    def may(self, user: User, attributes: Mapping[str, str], timeout_seconds: float) -> bool:
        self.asked.append((user, attributes, timeout_seconds))
        return attributes in self.granted


class Silent:
    """An API server that does not answer."""

    def may(self, _user: User, _attributes: Mapping[str, str], _timeout_seconds: float) -> bool:
        raise Unavailable("no answer", remedy="Try again.")


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def permissions(reviews: Reviews, user: User = JANE, seconds: float = 2.0) -> UserPermissions:
    return Rights(reviews, Clock()).permissions(user, frozenset(("mine",)), seconds)


def test_the_requests_own_namespace_is_shown_without_a_question() -> None:
    """
    Whoever writes an object in a namespace is told about that namespace.
    """
    reviews = Reviews()

    assert permissions(reviews).shows(PersistentVolumeClaim, "mine", "os")
    assert reviews.asked == []


@pytest.mark.parametrize("granted", [GET_CLAIM, CLONE], ids=["get", "clone"])
def test_a_claim_is_shown_to_whoever_may_get_or_clone_it(granted: Mapping[str, str]) -> None:
    """
    The clone has the labels and the content of its source.
    """
    assert permissions(Reviews(granted)).shows(PersistentVolumeClaim, "images", "golden")


def test_the_right_to_clone_shows_claims_only() -> None:
    """
    DataSources take the right to get them.
    """
    seen = permissions(Reviews(CLONE))

    assert not seen.shows(DataSource, "images", "golden")
    assert seen.hid


def test_the_whole_user_is_in_the_question() -> None:
    """
    UID, groups and extra decide about rights as the name does.
    """
    reviews = Reviews(GET_CLAIM)

    permissions(reviews).shows(PersistentVolumeClaim, "images", "golden")

    assert reviews.asked == [(JANE, GET_CLAIM, 2.0)]


def test_an_answer_is_used_again_for_a_few_seconds() -> None:
    """
    A right that was revoked ends soon.
    """
    reviews, clock = Reviews(GET_CLAIM), Clock()
    rights = Rights(reviews, clock)

    def shown() -> bool:
        return rights.permissions(JANE, frozenset(), 2.0).shows(PersistentVolumeClaim, "images", "golden")

    first, second = shown(), shown()
    reviews.granted = ()
    clock.now += REMEMBERED_SECONDS
    third = shown()

    assert (first, second, third) == (True, True, False)
    assert len(reviews.asked) == 3  # one at first; get and clone when it is over


def test_an_answer_is_one_users() -> None:
    """
    Another user of the same name, and one in other groups, is asked about anew.
    """
    reviews = Reviews()
    rights = Rights(reviews, Clock())
    others = [
        User("jane", "2", JANE.groups, JANE.extra),
        User("jane", "1", (), JANE.extra),
        User("jane", "1", JANE.groups),
    ]

    for other in (JANE, *others):
        rights.permissions(other, frozenset(), 2.0).shows(DataSource, "images", "golden")

    assert [user for user, _, _ in reviews.asked] == [JANE, *others]


def test_without_an_answer_nothing_is_shown() -> None:
    """
    Neither an API server that is silent nor a deadline that is over discloses anything.
    """
    silent = Rights(Silent(), Clock()).permissions(JANE, frozenset(), 2.0)
    late = permissions(Reviews(GET_CLAIM), seconds=0.0)

    assert not silent.shows(PersistentVolumeClaim, "images", "golden")
    assert not late.shows(PersistentVolumeClaim, "images", "golden")
    assert silent.hid
    assert late.hid


def test_lists_are_shown_by_namespace_or_whole() -> None:
    """
    One question is enough for a user who may list a kind everywhere.
    """
    everywhere, one = Reviews({"verb": "list", **NETWORKS}), Reviews({"verb": "list", "namespace": "b", **NETWORKS})
    all_of, part_of = permissions(everywhere), permissions(one)

    assert [all_of.shows(NetworkAttachmentDefinition, namespace) for namespace in "abc"] == [True, True, True]
    assert len(everywhere.asked) == 1
    assert [part_of.shows(NetworkAttachmentDefinition, namespace) for namespace in "abc"] == [False, True, False]


def test_the_questions_of_one_review_are_bounded() -> None:
    """
    A VM of many templates, or a cluster of many namespaces, does not make one review cost as many questions.
    """
    reviews = Reviews()
    seen = permissions(reviews)

    shown = [seen.shows(NetworkAttachmentDefinition, f"space-{number}") for number in range(500)]
    shown += [seen.shows(DataSource, "images", f"image-{number}") for number in range(500)]

    assert len(reviews.asked) == MOST_QUESTIONS
    assert not any(shown)


def test_a_question_is_asked_once_a_review() -> None:
    """
    Also where the API server was silent the first time.
    """
    reviews = Reviews()
    seen = permissions(reviews)

    for _ in range(3):
        seen.shows(DataSource, "images", "golden")

    assert len(reviews.asked) == 1
