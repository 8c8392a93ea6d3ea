"""The hashes of many texts, by the names of the texts."""

from array import array
from collections.abc import Iterator, MutableMapping

from webhook.manifests.compact_texts import CompactTexts
from webhook.manifests.hash_index import HashIndex

MOST_RECENT = 1_000
"""Number of entries in a dict. A dict needs about 200 bytes for an entry, and the other entries about 40."""


class Digests(MutableMapping[str, int]):
    """Hashes (``hash``) by name."""

    def __init__(self) -> None:
        self._recent: dict[str, int] = {}
        self._names = CompactTexts()
        self._digests = array("q")
        self._places = HashIndex(is_small=True)
        """The places of the names in ``_names``, by the hash of the name."""
        self._deleted: set[int] = set()
        """The places of deleted entries."""

    def __len__(self) -> int:
        return len(self._digests) - len(self._deleted) + len(self._recent)

    def __iter__(self) -> Iterator[str]:
        for place, name in enumerate(self._names):
            if place not in self._deleted:
                yield name
        yield from self._recent

    def __getitem__(self, name: str) -> int:
        if name in self._recent:
            return self._recent[name]
        return self._digests[self._place(name)]

    def __setitem__(self, name: str, digest: int) -> None:
        try:
            self._digests[self._place(name)] = digest
        except KeyError:
            self._recent[name] = digest
            if len(self._recent) > MOST_RECENT:
                self._compact()

    def __delitem__(self, name: str) -> None:
        if name in self._recent:
            del self._recent[name]
        else:
            self._deleted.add(self._place(name))

    def _place(self, name: str) -> int:
        """The place of a name. Raises KeyError if the name is not in ``_names``, or is deleted."""
        for place in self._places.find(hash(name)):
            if place not in self._deleted and self._names[place] == name:
                return place
        raise KeyError(name)

    def _compact(self) -> None:
        for name, digest in self._recent.items():
            self._places.add(hash(name), len(self._names))
            self._names.append(name)
            self._digests.append(digest)
        self._recent.clear()
