"""A World of objects in memory: from manifests, a snapshot or examples."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from webhook.facts.unknown import ABSENT, Fact, Found, Unknown
from webhook.objects.kinds import BY_CLASS
from webhook.objects.meta import Kubernetes

K = TypeVar("K", bound=Kubernetes)


class ObjectsWorld:
    """
    Looks up objects of an input.

    A missing object is Unknown. For kinds in ``complete`` the input has all objects, so a missing one is ABSENT.
    """

    def __init__(self, objects: Iterable[Kubernetes], complete: Iterable[type[Kubernetes]] = ()) -> None:
        self._complete = frozenset(complete)
        self._by_kind: dict[type[Kubernetes], dict[tuple[str, str], Kubernetes]] = {}
        self._namespaces: dict[type[Kubernetes], dict[str, list[str]]] = {}
        """The namespaces of each name, for kinds that were looked up without a namespace."""
        for one in objects:
            self.add(one)

    def add(self, added: Kubernetes) -> None:
        """Add an object. It replaces one of the same name."""
        kind = type(added)
        key = _key(kind, added.namespace, added.name)
        objects = self._by_kind.setdefault(kind, {})
        if kind in self._namespaces and key not in objects:
            self._namespaces[kind].setdefault(key[1], []).append(key[0])
        objects[key] = added

    def find(self, kind: type[K], namespace: str, name: str) -> Found[K]:
        """The object of this name. A missing namespace, in the object or in the lookup, matches any namespace."""
        objects = self._by_kind.get(kind, _NOTHING)
        match = objects.get(_key(kind, namespace, name)) or objects.get(_key(kind, "", name))
        if match is None and not namespace:
            namespaces = self._namespaces_by_name(kind).get(name, ())
            match = objects[namespaces[0], name] if len(namespaces) == 1 else None
        if isinstance(match, kind):
            return match
        if kind in self._complete:
            return ABSENT
        word = WORDS.get(kind.__name__, kind.__name__)
        return Unknown(f"{word} {name!r} is not in the input", f"add the manifest of {word} {name!r} to the input")

    def _namespaces_by_name(self, kind: type[Kubernetes]) -> Mapping[str, Sequence[str]]:
        """The namespaces of all objects of a kind, by name."""
        namespaces = self._namespaces.get(kind)
        if namespaces is None:
            namespaces = self._namespaces[kind] = {}
            for namespace, name in self._by_kind.get(kind, _NOTHING):
                namespaces.setdefault(name, []).append(namespace)
        return namespaces

    def every(self, kind: type[K]) -> Fact[tuple[K, ...]]:
        """All objects of a kind; Unknown if the input has none and may be incomplete."""
        objects = self._by_kind.get(kind)
        if objects:
            return tuple(one for one in objects.values() if isinstance(one, kind))
        if kind in self._complete:
            return ()
        word = WORDS.get(kind.__name__, kind.__name__)
        return Unknown(f"no {word} is in the input", f"add the {word} manifest to the input")


WORDS: Mapping[str, str] = {"PersistentVolumeClaim": "PVC", "KubeVirt": "KubeVirt CR"}
_NOTHING: Mapping[tuple[str, str], Kubernetes] = {}


def _key(kind: type[Kubernetes], namespace: str, name: str) -> tuple[str, str]:
    known = BY_CLASS.get(kind)
    return (namespace if known is None or known.namespaced else "", name)
