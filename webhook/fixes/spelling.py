"""Creates fixes for misspelled names and values."""

import re
from collections.abc import Callable, Iterator, Mapping

from webhook.fixes.fix import Fix, find, put, remove, rename, replace
from webhook.judging.finding import Finding
from webhook.objects.meta import Json
from webhook.objects.path import FieldPath

_MEANT = r"(?:Did you mean|Write kind:|Write) ([A-Za-z0-9]+(?:[./][A-Za-z0-9]+)*)(?:[?;]|\.$)"
"""Matches the forms in which a remedy names the probable value."""
_MOVED = r"Move the field to ([A-Za-z]+(?:\.[A-Za-z]+)+)\.$"


def _value(finding: Finding, raw: Json) -> Iterator[Fix]:
    """Replaces a misspelled value."""
    meant = re.search(_MEANT, finding.remedy)
    written = find(raw, finding.path)
    if meant is not None and isinstance(written, str):
        yield Fix(
            f"write {meant[1]} instead of {written!a}",
            replace(raw, finding.path, meant[1]),
            is_safe=_is_same(written, meant[1]),
        )


def _key(finding: Finding, raw: Json) -> Iterator[Fix]:
    """Renames a misspelled key."""
    meant = re.search(_MEANT, finding.remedy)
    written = finding.path[-1]
    if meant is not None and isinstance(written, str) and (patch := rename(raw, finding.path, meant[1])):
        yield Fix(f"write {meant[1]} instead of {written!a}", patch, is_safe=_is_same(written, meant[1]))


def _key_or_place(finding: Finding, raw: Json) -> Iterator[Fix]:
    """Renames a misspelled key, or moves a short value whose key is at the wrong level."""
    yield from _key(finding, raw)
    moved = re.search(_MOVED, finding.remedy)
    value = find(raw, finding.path)
    if moved is not None and isinstance(value, str | int | bool):
        target: FieldPath = tuple(moved[1].split("."))
        if find(raw, target) is None and (patch := put(raw, target, value)):
            yield Fix(f"move the key to {moved[1]}", (*patch, *remove(raw, finding.path)))


def _is_same(written: str, meant: str) -> bool:
    """Whether the names differ only in upper and lower case, so that only one correction is possible."""
    return written.lower() == meant.lower()


FIXES: Mapping[str, Callable[[Finding, Json], Iterator[Fix]]] = {
    "LM502": _value,
    "LM602": _key,
    "LM621": _value,
    "LM625": _value,
    "LM628": _value,
    "LM629": _value,
    "LM646": _key,
    "LM801": _value,
    "LM803": _key_or_place,
    "LM804": _value,
    "LM805": _value,
    "LM806": _value,
}
