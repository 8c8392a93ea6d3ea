"""Objects of one kind by name. If there are many, most of them are in a temporary file."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

import msgspec

from webhook.check.lookups import key_of
from webhook.check.spill import SpillFile
from webhook.facts.candidates import Candidate, Candidates
from webhook.kubevirt.subject import VM_KINDS
from webhook.manifests.hash_index import HashIndex
from webhook.objects.meta import Kubernetes
from webhook.objects.storage import DataVolume, PersistentVolume, PersistentVolumeClaim

STORED: frozenset[type[Kubernetes]] = frozenset((*VM_KINDS, PersistentVolumeClaim, PersistentVolume, DataVolume))
"""
The kinds of which large checks have many objects. VMs are reduced to labels and owners (``with_labels_only``), so none of these
objects contains cloud-init content.
"""
MOST_RECENT = 1_000
"""Number of objects of a kind that stay in memory. Files often refer to objects of neighbours."""
_STAYS = (b"misspelt", b"last-applied-configuration")
"""
The field of ``MisspeltClaimSpec``, and the annotation of kubectl with the text of the manifest. This text can contain secrets,
such as the headers of a DataVolume's source. Objects with a label of such a name stay in memory too.
"""
_Record: TypeAlias = tuple[Kubernetes, str, str, bool]


class StoredObjects:
    """
    The objects of one kind by name.

    An object in the file is never changed. If a second object of its name is added, both are in memory.
    """

    def __init__(self, kind: type[Kubernetes], file: SpillFile, objects: dict[str, Candidate | Candidates]) -> None:
        self._file = file
        self.recent = objects
        self._index = HashIndex()
        """The offsets of the records, with 1 as the last bit for an own object."""
        self._replaced: set[str] = set()
        """Names of objects in the file that are now in memory."""
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder: msgspec.msgpack.Decoder[_Record] = msgspec.msgpack.Decoder(tuple[kind, str, str, bool])  # type: ignore[valid-type]
        self.most_recent = MOST_RECENT
        """The number of objects in memory from which ``store`` is worth a call."""

    def __len__(self) -> int:
        return len(self.recent) + len(self._index) - len(self._replaced)

    def items(self) -> Iterator[tuple[str, Candidate | Candidates]]:
        """All names with their objects."""
        yield from self.recent.items()
        for _, number in self._index:
            stored = self._read(number)
            if stored.object.name not in self._replaced:
                yield stored.object.name, stored

    def get(self, name: str, /) -> Candidate | Candidates | None:
        """The objects of this name, or None."""
        found = self.recent.get(name)
        if found is None and self._index:
            for number in self._index.find(hash(name)):
                stored = self._read(number)
                if stored.object.name == name:
                    return stored
        return found

    def __setitem__(self, name: str, entry: Candidate | Candidates) -> None:
        if name not in self.recent and self.get(name) is not None:
            self._replaced.add(name)
        self.recent[name] = entry

    def store(self, is_own: Callable[[str], bool]) -> None:
        """Writes the objects in memory to the file. ``is_own`` is called for each name that is written."""
        keys, records = [], []
        for name, entry in list(self.recent.items()):
            if isinstance(entry, Candidate) and name not in self._replaced:
                record = self._record(entry)
                if record is None:
                    continue
                records.append(record)
                keys.append((hash(name), is_own(name)))
                del self.recent[name]
        for (key, own), offset in zip(keys, self._file.append(records), strict=True):
            self._index.add(key, offset << 1 | own)
        # some entries always stay in memory, and the time to look at them again must not grow with the square of their number
        self.most_recent = MOST_RECENT + len(self.recent) * 5 // 4

    def own_keys(self) -> Iterator[int]:
        """The keys of the names of own objects in the file."""
        return (key_of(key) for key, number in self._index if number & 1)

    def own(self, keys: set[int]) -> Iterator[Candidate]:
        """The own objects in the file whose names have these keys."""
        return (self._read(number) for key, number in self._index if number & 1 and key_of(key) in keys)

    def _record(self, candidate: Candidate) -> bytes | None:
        """
        The bytes of an object, or None if the object stays in memory, because it can contain secrets, or because the bytes would
        not restore it exactly: its file name is not UTF-8, an integer has more than 64 bits, or it has a ``MisspeltClaimSpec``,
        which would be restored as a ``ClaimSpec``.
        """
        try:
            record = self._encoder.encode((candidate.object, candidate.source, candidate.path, candidate.is_reference))
        except (ValueError, OverflowError):
            return None
        return None if any(word in record for word in _STAYS) else record

    def _read(self, number: int) -> Candidate:
        return Candidate(*self._decoder.decode(self._file.read(number >> 1)))
