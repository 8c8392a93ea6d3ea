"""A World in which every object is unknown."""

from typing import TypeVar

import msgspec

from webhook.facts.unknown import Fact, Found, Unknown
from webhook.objects.meta import Kubernetes

K = TypeVar("K", bound=Kubernetes)


class UnknownWorld(msgspec.Struct, frozen=True):
    """Returns the same ``Unknown`` for every lookup."""

    answer: Unknown

    def find(self, _kind: type[K], _namespace: str, _name: str) -> Found[K]:
        """Always Unknown."""
        return self.answer

    def every(self, _kind: type[K]) -> Fact[tuple[K, ...]]:
        """Always Unknown."""
        return self.answer
