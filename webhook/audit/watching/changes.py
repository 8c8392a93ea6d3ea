"""
Decides which lookups a change of an object concerns. This module does no I/O.

Rules look up all objects of a few kinds, although only some of these objects can matter for a VM. The functions here know which.
A lookup that is not listed here is concerned by each change of its kind.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from webhook.audit.watching.packed import Packed
from webhook.cluster.listed import OF_ONE_NAMESPACE
from webhook.cluster.lookups import Question
from webhook.cluster.projection import Key
from webhook.cluster.store import Stored
from webhook.facts.unknown import Unknown
from webhook.objects.disruption import PodDisruptionBudget
from webhook.objects.meta import Kubernetes
from webhook.objects.nad import Namespace, Node
from webhook.objects.storage import PersistentVolume, PersistentVolumeClaim


def concerned(kind: type[Kubernetes], key: Key, before: Stored | None, after: Stored | None) -> Iterator[Question]:
    """
    Yields the lookups whose result differs. For a kind in ``OF_ONE_NAMESPACE``, the lookup of all objects names the namespace.

    Yields nothing for a heartbeat, a new resourceVersion, and other changes of fields that lookups do not return.
    """
    old, new = _visible(before), _visible(after)
    if old == new:
        return
    namespace, name = key
    yield Question(kind, namespace, name)
    if kind is PersistentVolume:
        yield from _claims_of(old)
        yield from _claims_of(new)
    else:
        yield Question(kind, namespace if kind in OF_ONE_NAMESPACE else "", None)


def _claims_of(volume: Stored | None) -> Iterator[Question]:
    """
    The lookup of the claim for which a volume is reserved. A volume matters only for this claim (``storage/backing.py``), which
    is looked up first.
    """
    reserved = volume.spec.claim_ref if isinstance(volume, PersistentVolume) else None
    if reserved is not None:
        yield Question(PersistentVolumeClaim, reserved.namespace, reserved.name)


def _visible(stored: Stored | None) -> Stored | None:
    """The part of an object that lookups return and rules read."""
    seen = stored.view if isinstance(stored, Packed) else stored
    if seen is None or isinstance(seen, Unknown):
        return seen
    meta = replace(seen.meta, resource_version=None)
    if isinstance(seen, Node):  # virt-handler writes an annotation once a minute
        meta = replace(meta, annotations=None)
    elif isinstance(seen, Namespace):
        meta = replace(meta, annotations=None, deletion_timestamp=None)
    elif isinstance(seen, PodDisruptionBudget):  # its status changes with each pod
        return replace(seen, metadata=meta, status=None)
    return replace(seen, metadata=meta)
