"""The part of a cluster that an audit judges."""

from functools import lru_cache
from hashlib import sha256
from typing import Final

import msgspec

from webhook.errors import Misconfigured
from webhook.objects.whole_number import whole_number
from webhook.report.audited import Shard

MOST_SHARDS: Final = 1000


class Scope(msgspec.Struct, frozen=True):
    """Namespaces and a shard. An object is judged if both contain it."""

    namespaces: tuple[str, ...] = ()
    """Empty for all namespaces."""
    shard: Shard = Shard()

    def holds(self, namespace: str) -> bool:
        """Whether objects of this namespace are judged. Cluster-scoped objects (``''``) belong to the first shard."""
        if self.namespaces and namespace not in self.namespaces:
            return False
        return self.shard.of == 1 or shard_of(namespace, self.shard.of) == self.shard.number

    def holds_settings(self, namespace: str) -> bool:
        """Whether settings of the cluster in this namespace are judged. All belong to one shard, which reports them."""
        return self.holds(namespace if self.namespaces else "")


@lru_cache(maxsize=65536)
def shard_of(namespace: str, of: int) -> int:
    """The number of the shard that contains a namespace, from 1 to ``of``. It depends on nothing else."""
    if not namespace:
        return 1
    return int.from_bytes(sha256(namespace.encode()).digest()[:8]) % of + 1


def parse_shard(text: str) -> Shard:
    """Reads ``I/N``. Raises Misconfigured for another text."""
    number, of = map(whole_number, text.partition("/")[::2])
    if number is not None and of is not None and 1 <= number <= of <= MOST_SHARDS:
        return Shard(number, of)
    raise Misconfigured(
        f"--shard {text}: not a shard",
        remedy=f"Write I/N with I from 1 to N and N up to {MOST_SHARDS}, such as --shard 1/4.",
    )
