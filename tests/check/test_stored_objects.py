"""Objects by name, of which most are in a temporary file."""

from collections.abc import Iterator
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.check import stored_objects
from webhook.check.lookups import key_of
from webhook.check.spill import SpillFile
from webhook.check.stored_objects import StoredObjects
from webhook.facts.candidates import Candidate, Candidates
from webhook.objects.meta import ObjectMeta
from webhook.objects.storage import ClaimSpec, DataVolume, MisspeltClaimSpec, PersistentVolumeClaim


def claim(name: str, number: int, path: str = "/a.yaml") -> Candidate:
    spec = ClaimSpec(["ReadWriteOnce", "ReadWriteMany"][: number % 3])
    obj = PersistentVolumeClaim("v1", "PersistentVolumeClaim", ObjectMeta(name), spec)
    return Candidate(obj, f"{number}.yaml", path, is_reference=bool(number % 2))


@pytest.fixture(autouse=True)
def all_in_the_file() -> Iterator[None]:
    """No object stays in memory."""
    with patch.object(stored_objects, "MOST_RECENT", 0):
        yield


@given(st.lists(st.tuples(st.sampled_from("abc\u00e9"), st.integers(0, 9), st.booleans())))
def test_objects_are_the_same_as_in_memory(steps: list[tuple[str, int, bool]]) -> None:
    """
    A second object of a name replaces the entry by one with both.
    """
    stored = StoredObjects(PersistentVolumeClaim, SpillFile(), {})
    expected: dict[str, list[Candidate]] = {}
    for name, number, is_written in steps:
        known = stored.get(name)
        expected.setdefault(name, []).append(claim(name, number))
        if known is None:
            stored[name] = claim(name, number)
        else:
            both = stored[name] = Candidates(known, "") if isinstance(known, Candidate) else known
            both.add(claim(name, number), "")
        if is_written:
            stored.store(lambda _name: False)

    assert {name: members(entry) for name, entry in stored.items()} == expected
    assert {name: members(found) for name in expected if (found := stored.get(name))} == expected
    assert len(stored) == len(expected)


def members(entry: Candidate | Candidates) -> list[Candidate]:
    return [entry] if isinstance(entry, Candidate) else entry.namespaces[""].members


def test_own_objects_are_found_by_hash() -> None:
    """
    Objects of other processes are not given to others.
    """
    stored = StoredObjects(PersistentVolumeClaim, SpillFile(), {})
    for name in "abc":
        stored[name] = claim(name, 1)

    stored.store(lambda name: name != "b")

    assert sorted(stored.own_keys()) == sorted(key_of(hash(name)) for name in "ac")
    assert list(stored.own({key_of(hash(name)) for name in "ab"})) == [claim("a", 1)]


def test_a_name_with_the_same_hash_is_another_name() -> None:
    """
    The names are compared.
    """
    stored = StoredObjects(PersistentVolumeClaim, SpillFile(), {})
    stored["a"] = claim("a", 1)
    stored.store(lambda _name: False)

    with patch.object(stored_objects, "hash", lambda _name: hash("a"), create=True):
        assert stored.get("b") is None
        assert stored.get("a") == claim("a", 1)


def test_an_object_that_cannot_be_written_stays_in_memory() -> None:
    """
    A file name can contain bytes that are not UTF-8.
    """
    stored = StoredObjects(PersistentVolumeClaim, SpillFile(), {})
    stored["a"] = claim("a", 1, "/\udcff.yaml")

    stored.store(lambda _name: False)

    assert stored.get("a") == claim("a", 1, "/\udcff.yaml")


def test_a_claim_with_a_misspelt_field_stays_in_memory() -> None:
    """
    MessagePack would restore a claim without the place of the field.
    """
    spec = MisspeltClaimSpec(misspelt=("spec.accessModes", "spec.modes"))
    obj = PersistentVolumeClaim("v1", "PersistentVolumeClaim", ObjectMeta("a"), spec)
    stored = StoredObjects(PersistentVolumeClaim, SpillFile(), {})
    stored["a"] = Candidate(obj, "a.yaml", "/a.yaml", is_reference=False)

    stored.store(lambda _name: False)

    found = stored.get("a")
    assert isinstance(found, Candidate)
    assert found.object == obj


LAST_APPLIED = {
    "kubectl.kubernetes.io/last-applied-configuration": '{"spec": {"source": {"http": {"extraHeaders": ["x"]}}}}'
}


def applied(name: str) -> Candidate:
    obj = DataVolume("cdi.kubevirt.io/v1beta1", "DataVolume", ObjectMeta(name, annotations=LAST_APPLIED))
    return Candidate(obj, "a.yaml", "/a.yaml", is_reference=False)


def test_a_manifest_in_an_annotation_stays_in_memory() -> None:
    """
    It can contain secrets.
    """
    stored = StoredObjects(DataVolume, SpillFile(), {})
    stored["a"] = applied("a")

    with patch.object(SpillFile, "append", side_effect=list) as append:
        stored.store(lambda _name: False)

    assert stored.get("a") == applied("a")
    append.assert_called_once_with([])


def test_objects_that_stay_in_memory_are_looked_at_a_few_times() -> None:
    """
    Otherwise the time would grow with the square of their number.
    """
    stored = StoredObjects(DataVolume, SpillFile(), {})
    looks = 0
    for number in range(1000):
        stored[f"{number}"] = applied(f"{number}")
        if len(stored.recent) > stored.most_recent:
            stored.store(lambda _name: False)
            looks += len(stored.recent)

    assert len(stored.recent) == 1000
    assert looks < 10_000
