"""The defaults, one file each; the tuple ``DEFAULTS`` registers them and nothing else does."""

from collections.abc import Iterable, Mapping
from typing import Any

from webhook.defaults import eviction_strategy, migration_settings
from webhook.defaults.default import Default, DefaultFacts, Set
from webhook.objects.meta import Json
from webhook.objects.path import FieldPath, pointer

DEFAULTS: tuple[Default, ...] = (eviction_strategy.DEFAULT, migration_settings.DEFAULT)


def default_sets(facts: DefaultFacts) -> list[Set]:
    """Everything that is filled in, in the order of ``DEFAULTS``."""
    return [each for default in DEFAULTS for each in default.fill(facts)]


def patches(sets: Iterable[Set], raw: Mapping[str, Json]) -> list[dict[str, Any]]:
    """
    The RFC 6902 operations that write ``sets`` into ``raw``, missing objects on the way included, each of them once.

    A set whose way is blocked, or whose place is taken, is left out: nothing that is written is ever changed.
    """
    operations: list[dict[str, Any]] = []
    made: set[FieldPath] = set()
    for each in sets:
        missing = _missing_parents(each.path, raw)
        if missing is None:
            continue
        for parent in missing:
            if parent not in made:
                made.add(parent)
                operations.append({"op": "add", "path": pointer(parent), "value": {}})
        operations.append({"op": "add", "path": pointer(each.path), "value": each.value})
    return operations


def _missing_parents(path: FieldPath, raw: Json) -> list[FieldPath] | None:
    """The objects that must be made before ``path`` can be written, outermost first; None where it must not be."""
    here = raw
    for depth, step in enumerate(path):
        if not isinstance(here, dict):
            return None
        here = here.get(str(step))
        if here is None:
            return [path[:end] for end in range(depth + 1, len(path))]
    return None
