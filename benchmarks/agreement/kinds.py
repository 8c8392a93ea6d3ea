"""
Classifies the differences between two answers.

An answer is JSON, or text that `plain_text` has made into JSON. A difference belongs to the kind of the innermost key that
`KINDS` names. A key without a kind makes a difference of kind `value`, so that a new key never counts as wording.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

VERDICT, RULE, PLACE, RELEASES = "verdict", "rule id", "place", "release set"
ACTION, STATUS, SHAPE, ORDER = "action", "exit status", "shape", "order"
PATCH, FINGERPRINT, CRASH, VALUE, WORDING = "patch", "fingerprint", "crash", "value", "wording"
EVERY = (CRASH, STATUS, VERDICT, RULE, PLACE, RELEASES, ACTION, SHAPE, ORDER, PATCH, FINGERPRINT, VALUE, WORDING)

_KEYS = {
    VERDICT: "liveMigratable reason migrationMethod outcome basis verdict allowed code live-migratable summary "
    "executionSuccessful suppressions safe objects problems",
    RULE: "rule ruleId ruleIndex id name rules findings results causes warnings more",
    PLACE: "path line column endLine endColumn field file document location locations region source frame kind "
    "namespace apiVersion fullyQualifiedName logicalLocations physicalLocation artifactLocation uri",
    RELEASES: "release releases since until",
    ACTION: "action severity level problem.severity defaultConfiguration exemption denied lowered",
    STATUS: "exit httpStatus",
    PATCH: "patch patchType patches artifactChanges fixes",
    FINGERPRINT: "partialFingerprints",
    CRASH: "crash",
    WORDING: "message remedy title unproven assumptions notes text markdown justification settle prose headline stderr",
}
KINDS = {key: kind for kind, keys in _KEYS.items() for key in keys.split()}
"""The kind of a difference by the key under which it is found."""

_WHOLE = ("patch", "patches", "artifactChanges", "partialFingerprints")
"""Keys below which no other key counts: a patch may hold any field of an object."""

_RULE_ID = re.compile(r"\bLM\d{3}\b")
_FILE_PLACE = re.compile(r"[\w./-]+\.(?:ya?ml|json):\d+(?::\d+)?")


class Difference(NamedTuple):
    """Two values at one place of the answers to one question."""

    kind: str
    where: str
    old: Any
    new: Any


Path = tuple[str, ...]
Identity = Callable[[Mapping[str, Any]], object]


def differences(old: Any, new: Any, path: Path = ()) -> Iterator[Difference]:
    """Every difference between two answers."""
    if isinstance(old, dict) and isinstance(new, dict):
        yield from _of_objects(old, new, path)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _of_lists(old, new, path)
    elif old == new and type(old) is type(new):
        return
    elif isinstance(old, str) and isinstance(new, str):
        yield from _of_texts(old, new, path)
    elif type(old) is type(new) or None in (old, new) or {type(old), type(new)} == {int, float}:
        kind = kind_at(path)
        yield Difference(SHAPE if kind == WORDING else kind, _shown(path), old, new)
    else:
        yield Difference(SHAPE, _shown(path), old, new)


def kind_at(path: Path) -> str:
    """The kind of a difference in a value at a path: patches and fingerprints keep theirs at every depth."""
    named = [key for key in path if key in KINDS]
    innermost = next((key for key in named if key in _WHOLE), named[-1] if named else "")
    return KINDS.get(innermost, VALUE)


def _of_objects(old: Mapping[str, Any], new: Mapping[str, Any], path: Path) -> Iterator[Difference]:
    for key in [*old, *(key for key in new if key not in old)]:
        below = (*path, key)
        if key in old and key in new:
            yield from differences(old[key], new[key], below)
        else:
            kind = PATCH if kind_at(path) == PATCH else SHAPE
            yield Difference(kind, _shown(below), old.get(key, "(no key)"), new.get(key, "(no key)"))


def _of_texts(old: str, new: str, path: Path) -> Iterator[Difference]:
    kind = kind_at(path)
    if kind != WORDING:
        yield Difference(kind, _shown(path), old, new)
        return
    if not old or not new:
        yield Difference(SHAPE, _shown(path), old, new)
        return
    for fixed, pattern in ((RULE, _RULE_ID), (PLACE, _FILE_PLACE)):
        before, after = Counter(pattern.findall(old)), Counter(pattern.findall(new))
        if before != after:
            yield Difference(
                fixed, _shown(path), sorted((before - after).elements()), sorted((after - before).elements())
            )
    yield Difference(WORDING, _shown(path), old, new)


def _values(*keys: str) -> Identity:
    return lambda item: tuple(str(item.get(key)) for key in keys)


def _at(item: Mapping[str, Any]) -> object:
    return (item.get("ruleId"), str(item.get("locations")))


_IDENTITIES: Mapping[str, Sequence[Identity]] = {
    "findings": (
        _values("rule", "path", "location", "outcome"),
        _values("rule", "path"),
        _values("rule"),
        _values("path", "location"),
    ),
    "results": (_at, _values("ruleId"), lambda item: str(item.get("locations"))),
    "causes": (_values("field", "rule"), _values("rule"), _values("field")),
    "warnings": (_values("path", "rule"), _values("rule"), _values("path")),
    "objects": (_values("source", "kind", "namespace", "name"), _values("kind", "namespace", "name")),
    "problems": (_values("file", "document", "line", "path"), _values("file", "document")),
    "rules": (_values("id"),),
}
"""The identities of the items of a list, the strictest first. An item without a counterpart is a difference."""
_BY_PLACE: Sequence[Identity] = ()


def _of_lists(old: Sequence[Any], new: Sequence[Any], path: Path) -> Iterator[Difference]:
    key = path[-1] if path else ""
    items = [*old, *new]
    identities = _IDENTITIES.get(key, _BY_PLACE) if all(isinstance(item, dict) for item in items) else _BY_PLACE
    pairs = _paired(old, new, identities)
    for first, second in pairs:
        yield from differences(old[first], new[second], (*path, f"[{first}]"))
    if any(second > after for (_, second), (_, after) in pairwise(pairs)):
        yield Difference(ORDER, _shown(path), [second for _, second in pairs], sorted(second for _, second in pairs))
    kind = kind_at(path)
    kind = SHAPE if kind in (WORDING, VALUE) else kind
    for index in sorted(set(range(len(old))) - {first for first, _ in pairs}):
        yield Difference(kind, _shown((*path, f"[{index}]")), old[index], "(no item)")
    for index in sorted(set(range(len(new))) - {second for _, second in pairs}):
        yield Difference(kind, _shown((*path, f"[{index}]")), "(no item)", new[index])


def _paired(old: Sequence[Any], new: Sequence[Any], identities: Sequence[Identity]) -> list[tuple[int, int]]:
    """Indices of counterparts, sorted: by each identity in turn, among what the identities before it left."""
    if not identities:
        return [(index, index) for index in range(min(len(old), len(new)))]
    pairs: list[tuple[int, int]] = []
    left, right = list(range(len(old))), list(range(len(new)))
    for identity in identities:
        waiting: dict[object, list[int]] = {}
        for index in right:
            waiting.setdefault(identity(new[index]), []).append(index)
        for index in list(left):
            if counterparts := waiting.get(identity(old[index])):
                pairs.append((index, counterparts.pop(0)))
                left.remove(index)
                right.remove(pairs[-1][1])
    return sorted(pairs)


def _shown(path: Path) -> str:
    return ".".join(path).replace(".[", "[")
