"""Looks up the labels of a namespace, for the namespace selectors of policies."""

from collections.abc import Mapping

from webhook.facts.world import World
from webhook.objects.nad import Namespace


def labels_of_namespace(name: str, world: World) -> Mapping[str, str] | None:
    """Returns the labels of a namespace, or None if the labels are unknown."""
    if not name:
        return None
    namespace = world.find(Namespace, "", name)
    return namespace.meta.labels if isinstance(namespace, Namespace) else None
