"""The objects of other namespaces that a user may read, by SubjectAccessReviews."""

from collections.abc import Mapping

import pytest

from tests.clocks import Clock
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


def permissions(reviews: Reviews, user: User = JANE, seconds: float = 2.0) -> UserPermissions:
    return Rights(reviews, Clock()).permissions(user, frozenset(("mine",)), seconds)


def test_the_namespace_of_the_request_is_shown_without_an_access_review() -> None:
    """
    A user who writes an object in a namespace gets the facts of that namespace.
    """
    reviews = Reviews()

    assert permissions(reviews).shows(PersistentVolumeClaim, "mine", "os")
    assert reviews.asked == []


@pytest.mark.parametrize("granted", [GET_CLAIM, CLONE], ids=["get", "clone"])
def test_a_claim_is_shown_to_users_who_may_get_or_clone_it(granted: Mapping[str, str]) -> None:
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


def test_an_access_review_contains_the_whole_user() -> None:
    """
    UID, groups and extra decide about rights as the name does.
    """
    reviews = Reviews(GET_CLAIM)

    permissions(reviews).shows(PersistentVolumeClaim, "images", "golden")

    assert reviews.asked == [(JANE, GET_CLAIM, 2.0)]


def test_an_access_review_is_reused_for_a_few_seconds() -> None:
    """
    A revoked right ends soon.
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


def test_an_access_review_is_not_reused_for_another_user() -> None:
    """
    Another user of the same name, and a user in other groups, needs a new access review.
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


def test_nothing_is_shown_without_a_completed_access_review() -> None:
    """
    Neither a silent API server nor a deadline that has passed discloses anything.
    """
    silent = Rights(Silent(), Clock()).permissions(JANE, frozenset(), 2.0)
    late = permissions(Reviews(GET_CLAIM), seconds=0.0)

    assert not silent.shows(PersistentVolumeClaim, "images", "golden")
    assert not late.shows(PersistentVolumeClaim, "images", "golden")
    assert silent.hid
    assert late.hid


def test_lists_are_shown_for_one_namespace_or_for_all() -> None:
    """
    One access review is enough for a user who may list a kind in all namespaces.
    """
    everywhere, one = Reviews({"verb": "list", **NETWORKS}), Reviews({"verb": "list", "namespace": "b", **NETWORKS})
    all_of, part_of = permissions(everywhere), permissions(one)

    assert [all_of.shows(NetworkAttachmentDefinition, namespace) for namespace in "abc"] == [True, True, True]
    assert len(everywhere.asked) == 1
    assert [part_of.shows(NetworkAttachmentDefinition, namespace) for namespace in "abc"] == [False, True, False]


def test_the_access_reviews_of_one_request_are_limited() -> None:
    """
    A VM with many templates, or a cluster with many namespaces, does not cause as many access reviews.
    """
    reviews = Reviews()
    seen = permissions(reviews)

    shown = [seen.shows(NetworkAttachmentDefinition, f"space-{number}") for number in range(500)]
    shown += [seen.shows(DataSource, "images", f"image-{number}") for number in range(500)]

    assert len(reviews.asked) == MOST_QUESTIONS
    assert not any(shown)


def test_a_request_repeats_no_access_review() -> None:
    """
    This holds even if the API server did not respond the first time.
    """
    reviews = Reviews()
    seen = permissions(reviews)

    for _ in range(3):
        seen.shows(DataSource, "images", "golden")

    assert len(reviews.asked) == 1
