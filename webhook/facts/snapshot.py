"""What was recorded of a cluster."""

import msgspec

from webhook.objects.meta import Kubernetes


class Snapshot(msgspec.Struct, frozen=True):
    """Objects, and the kinds of which these are all there are."""

    objects: tuple[Kubernetes, ...] = ()
    complete: frozenset[type[Kubernetes]] = frozenset()


NO_SNAPSHOT = Snapshot()
