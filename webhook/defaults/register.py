"""Registers the defaults in ``DEFAULTS``, and creates the JSON Patch operations that write them."""

from collections.abc import Iterable, Mapping
from typing import Any

from webhook.defaults import eviction_strategy, migration_settings
from webhook.defaults.default import Default, DefaultFacts, Set
from webhook.objects.meta import Json
from webhook.objects.path import FieldPath, pointer

DEFAULTS: tuple[Default, ...] = (eviction_strategy.DEFAULT, migration_settings.DEFAULT)


def default_sets(facts: DefaultFacts) -> list[Set]:
    """Returns the values of all defaults, in the order of ``DEFAULTS``."""
    return [value for default in DEFAULTS for value in default.fill(facts)]


def patches(sets: Iterable[Set], raw: Mapping[str, Json]) -> list[dict[str, Any]]:
    """
    Returns the JSON Patch operations (RFC 6902) that write ``sets`` into ``raw``. Adds each missing parent object once.

    Skips a value if its field is present or a parent is not an object, so no existing value changes.
    """
    operations: list[dict[str, Any]] = []
    added: set[FieldPath] = set()
    for value in sets:
        missing = _missing_parents(value.path, raw)
        if missing is None:
            continue
        for parent in missing:
            if parent not in added:
                added.add(parent)
                operations.append({"op": "add", "path": pointer(parent), "value": {}})
        operations.append({"op": "add", "path": pointer(value.path), "value": value.value})
    return operations


def _missing_parents(path: FieldPath, raw: Json) -> list[FieldPath] | None:
    """Returns the missing parent objects of ``path``, outermost first, or None if ``path`` must not be written."""
    here = raw
    for depth, step in enumerate(path):
        if not isinstance(here, dict):
            return None
        here = here.get(str(step))
        if here is None:
            return [path[:end] for end in range(depth + 1, len(path))]
    return None
