"""A world of which nothing is known: what is left when nobody answers in time."""

from typing import TypeVar

import msgspec

from webhook.facts.unknown import Fact, Found, Unknown
from webhook.objects.meta import Kubernetes

K = TypeVar("K", bound=Kubernetes)


class UnknownWorld(msgspec.Struct, frozen=True):
    """Answers each question with the same ``Unknown``."""

    answer: Unknown

    def find(self, _kind: type[K], _namespace: str, _name: str) -> Found[K]:
        """Nobody knows."""
        return self.answer

    def every(self, _kind: type[K]) -> Fact[tuple[K, ...]]:
        """Nobody knows."""
        return self.answer
