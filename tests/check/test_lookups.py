"""Records of the files that looked up an object (webhook.check.lookups)."""

from array import array
from collections.abc import Callable
from itertools import compress
from operator import not_
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from tests.instructions import instructions
from webhook.check import lookups, sharing
from webhook.check.lookups import Keys, Lookup, Stated, Users, key_of
from webhook.check.sharing import take_wanted
from webhook.manifests.hash_index import HashIndex
from webhook.objects.storage import PersistentVolumeClaim, StorageClass

KIND = st.sampled_from([PersistentVolumeClaim, StorageClass])
LOOKUPS: st.SearchStrategy[Lookup] = st.tuples(KIND, st.none() | st.sampled_from("abc"))


@given(st.lists(st.sets(LOOKUPS), max_size=30), KIND, st.sampled_from("abcd"), st.integers(0, 5))
def test_each_file_that_looked_up_an_object_is_found(
    files: list[set[Lookup]], kind: type[PersistentVolumeClaim] | type[StorageClass], name: str, most: int
) -> None:
    """
    Few lookups are kept exactly. Of many, a few files are in an index, and many files of one name are in a list.
    """
    users = Users()
    with patch.object(lookups, "MOST_EXACT", most):
        for number, looked_up in enumerate(files):
            users.add(looked_up, number)

    assert sorted(users.of(kind, name)) == sorted(
        number for number, looked_up in enumerate(files) for one in ((kind, name), (kind, None)) if one in looked_up
    )


@given(st.lists(st.sets(KIND, min_size=1)), st.lists(KIND))
def test_a_file_is_given_once_for_the_lookups_of_all_objects(
    files: list[set[type[PersistentVolumeClaim | StorageClass]]],
    asked: list[type[PersistentVolumeClaim | StorageClass]],
) -> None:
    """
    The caller judges it again, and it then states its lookups again.
    """
    users = Users()
    for number, kinds in enumerate(files):
        users.add({(kind, None) for kind in kinds}, number)

    given_files = [number for kind in asked for number in users.of(kind, "a")]

    assert sorted(given_files) == [number for number, kinds in enumerate(files) if kinds & {*asked}]


@given(st.lists(st.sets(LOOKUPS)), st.lists(st.sets(LOOKUPS)), KIND, st.integers(0, 5))
def test_no_file_is_found_for_forgotten_lookups(
    files: list[set[Lookup]], later: list[set[Lookup]], kind: type[PersistentVolumeClaim | StorageClass], most: int
) -> None:
    """
    Lookups that are added later are found.
    """
    forgetful, fresh = Users(), Users()
    with patch.multiple(lookups, MOST_EXACT=most, _FEW=1):
        for number, looked_up in enumerate(files):
            forgetful.add(looked_up, number)
        forgetful.clear()
        for number, looked_up in enumerate(later):
            forgetful.add(looked_up, number)
            fresh.add(looked_up, number)

    for name in "abcd":
        assert [*forgetful.of(kind, name)] == [*fresh.of(kind, name)]


@given(st.integers(-(2**63), 2**63 - 1) | st.integers(-4, 4).map(lambda number: number * 2**32))
def test_a_key_is_the_key_in_an_index(digest: int) -> None:
    """
    The keys of names in memory are compared with the keys of names in an index.
    """
    index = HashIndex(is_small=True)
    index.add(digest, 7)

    assert [*index] == [(key_of(digest), 7)]


def test_the_work_grows_with_the_number_of_files_that_look_up_one_object() -> None:
    """
    Most VMs of a repository use the same StorageClass.
    """

    def adding(count: int) -> Callable[[], object]:
        files = [{(StorageClass, "fast"), (PersistentVolumeClaim, f"c{number}")} for number in range(count)]
        users = Users()
        return lambda: [users.add(looked_up, number) for number, looked_up in enumerate(files)]

    with patch.object(lookups, "MOST_EXACT", 100):
        assert instructions(adding(800)) < 3 * instructions(adding(400))


KEYS = st.lists(st.integers(1, 40)).map(lambda keys: array("I", keys))
STATED = st.builds(Stated, st.sets(KIND), st.dictionaries(KIND, KEYS))


@given(st.dictionaries(KIND, KEYS), st.lists(STATED, max_size=3), st.integers(1, 5), st.integers(1, 3))
def test_all_names_that_others_looked_up_are_given(own: Keys, others: list[Stated], size: int, most: int) -> None:
    """
    The names of a large check are compared in parts.
    """
    names = dict(own)
    with patch.object(sharing, "_PART_OF_KEYS", size), patch.object(sharing, "_MOST_PARTS", most):
        found = take_wanted(names, others)

    for kind, keys in own.items():
        asked = {key for stated in others for key in stated.names.get(kind, ())}
        is_wanted = [any(kind in stated.every for stated in others) or key in asked for key in keys]
        assert sorted(found.get(kind, ())) == sorted(compress(keys, is_wanted))
        assert sorted(names[kind]) == sorted(compress(keys, map(not_, is_wanted)))


def test_the_work_to_compare_names_grows_with_their_number() -> None:
    def comparing(count: int) -> Callable[[], object]:
        keys = array("I", range(1, count))
        return lambda: take_wanted({StorageClass: keys}, [Stated(set(), {StorageClass: keys})])

    with patch.object(sharing, "_PART_OF_KEYS", 4):
        assert instructions(comparing(800)) < 3 * instructions(comparing(400))
