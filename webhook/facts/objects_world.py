"""A world made of objects at hand: given manifests, a snapshot, examples."""

from collections.abc import Iterable, Mapping, Sequence
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
        self._spaces: dict[type[Kubernetes], dict[str, list[str]]] = {}
        """The namespaces in which there is an object of a name, for the kinds of which somebody had to ask without one."""
        for each in objects:
            self.add(each)

    def add(self, given: Kubernetes) -> None:
        """One more object; it takes the place of one with the same name."""
        kind = type(given)
        key = _key(kind, given.namespace, given.name)
        objects = self._by_kind.setdefault(kind, {})
        if kind in self._spaces and key not in objects:
            self._spaces[kind].setdefault(key[1], []).append(key[0])
        objects[key] = given

    def find(self, kind: type[K], namespace: str, name: str) -> Found[K]:
        """The given object of this name; its namespace counts as equal where it was left out on either side."""
        given = self._by_kind.get(kind, _NOTHING)
        found = given.get(_key(kind, namespace, name)) or given.get(_key(kind, "", name))
        if found is None and not namespace:
            spaces = self._named(kind).get(name, ())
            found = given[spaces[0], name] if len(spaces) == 1 else None
        if isinstance(found, kind):
            return found
        if kind in self._complete:
            return ABSENT
        word = WORDS.get(kind.__name__, kind.__name__)
        return Unknown(f"{word} {name!r} is not in the input", f"add the manifest of {word} {name!r} to the input")

    def _named(self, kind: type[Kubernetes]) -> Mapping[str, Sequence[str]]:
        """The namespaces of all objects of a kind, by name."""
        known = self._spaces.get(kind)
        if known is None:
            known = self._spaces[kind] = {}
            for space, name in self._by_kind.get(kind, _NOTHING):
                known.setdefault(name, []).append(space)
        return known

    def every(self, kind: type[K]) -> Fact[tuple[K, ...]]:
        """All given objects of a kind; Unknown where there are none and there may be some elsewhere."""
        given = self._by_kind.get(kind)
        if given:
            return tuple(each for each in given.values() if isinstance(each, kind))
        if kind in self._complete:
            return ()
        word = WORDS.get(kind.__name__, kind.__name__)
        return Unknown(f"no {word} is in the input", f"add the {word} manifest to the input")


WORDS: Mapping[str, str] = {"PersistentVolumeClaim": "PVC", "KubeVirt": "KubeVirt CR"}
_NOTHING: Mapping[tuple[str, str], Kubernetes] = {}


def _key(kind: type[Kubernetes], namespace: str, name: str) -> tuple[str, str]:
    known = BY_CLASS.get(kind)
    return (namespace if known is None or known.namespaced else "", name)
