"""A world made of objects at hand: given manifests, a snapshot, examples."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from webhook.facts.unknown import ABSENT, Fact, Found, Unknown
from webhook.objects.kinds import BY_CLASS
from webhook.objects.meta import Kubernetes

K = TypeVar("K", bound=Kubernetes)


class ObjectsWorld:
    """
    Looks things up among objects that were given.

    What is not among them is Unknown, except for kinds in ``complete``: of those everything there is was given, so the
    rest is known to be absent.
    """

    def __init__(self, objects: Iterable[Kubernetes], complete: Iterable[type[Kubernetes]] = ()) -> None:
        self._complete = frozenset(complete)
        self._by_kind: dict[type[Kubernetes], dict[tuple[str, str], Kubernetes]] = {}
        for each in objects:
            self._by_kind.setdefault(type(each), {})[_key(type(each), each.namespace, each.name)] = each

    def find(self, kind: type[K], namespace: str, name: str) -> Found[K]:
        """The given object of this name; its namespace counts as equal where it was left out on either side."""
        given = self._by_kind.get(kind, _NOTHING)
        found = given.get(_key(kind, namespace, name)) or given.get(_key(kind, "", name))
        if found is None and not namespace:
            same_name = [each for key, each in given.items() if key[1] == name]
            found = same_name[0] if len(same_name) == 1 else None
        if isinstance(found, kind):
            return found
        if kind in self._complete:
            return ABSENT
        word = WORDS.get(kind.__name__, kind.__name__)
        return Unknown(f"{word} {name!r} is not among the objects given", f"give the manifest of {word} {name!r} too")

    def every(self, kind: type[K]) -> Fact[tuple[K, ...]]:
        """All given objects of a kind; Unknown where there are none and there may be some elsewhere."""
        given = self._by_kind.get(kind)
        if given:
            return tuple(each for each in given.values() if isinstance(each, kind))
        if kind in self._complete:
            return ()
        word = WORDS.get(kind.__name__, kind.__name__)
        return Unknown(f"no {word} is among the objects given", f"give the {word} manifest too")


WORDS: Mapping[str, str] = {"PersistentVolumeClaim": "claim", "KubeVirt": "KubeVirt CR"}
_NOTHING: Mapping[tuple[str, str], Kubernetes] = {}


def _key(kind: type[Kubernetes], namespace: str, name: str) -> tuple[str, str]:
    known = BY_CLASS.get(kind)
    return (namespace if known is None or known.namespaced else "", name)
