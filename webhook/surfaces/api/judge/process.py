"""
The process that reads and judges untrusted manifests for the dry-run API: `python -m webhook.surfaces.api.judge.process FD`.

The process has no access to a cluster or network. It sends lookups to the server, which answers with objects that the caller is
allowed to read. The process runs at the lowest priority, with a memory limit. The only input is a socket to the server. The
process ends when the server closes the socket.
"""

import os
import pickle
import resource
import sys
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import TypeVar, cast

from webhook.errors import Unavailable
from webhook.facts.unknown import Fact, Found
from webhook.objects.meta import Kubernetes
from webhook.surfaces.api.judge.judge import namespaces_in, report_on
from webhook.surfaces.api.judge.messages import (
    Check,
    Failed,
    Lookup,
    Namespaces,
    NamespacesFound,
    Reply,
    Reported,
    encode_reply,
)
from webhook.yaml.brackets import forget_values

K = TypeVar("K", bound=Kubernetes)

MOST_MEMORY = 512 * 2**20
"""Limit for address space, in bytes."""
GROWN = 160 * 2**20
"""Limit for resident memory, in bytes. A process that uses more memory ends after its current response."""
LOWEST_PRIORITY = 19


class RemoteWorld:
    """The part of the cluster that the caller is allowed to read. Each lookup is sent once."""

    def __init__(self, server: Connection, known: dict[Lookup, object] | None = None) -> None:
        self._server = server
        self._known: dict[Lookup, object] = {} if known is None else known
        self._is_advice = known is not None

    def for_advice(self) -> "RemoteWorld":
        """The same objects. The server answers without a read from the API server."""
        return self if self._is_advice else RemoteWorld(self._server, self._known)

    def find(self, kind: type[K], namespace: str, name: str) -> Found[K]:
        """The object, if the caller is allowed to read it."""
        return cast("Found[K]", self._ask(Lookup(kind.__name__, namespace, name, self._is_advice)))

    def every(self, kind: type[K]) -> Fact[tuple[K, ...]]:
        """All objects that the caller is allowed to read."""
        return cast("Fact[tuple[K, ...]]", self._ask(Lookup(kind.__name__, for_advice=self._is_advice)))

    def _ask(self, lookup: Lookup) -> object:
        if lookup not in self._known:
            self._server.send_bytes(encode_reply(lookup))
            self._known[lookup] = pickle.loads(self._server.recv_bytes())  # noqa: S301 - the server is ours
        return self._known[lookup]


def resident_memory() -> int:
    """
    The resident memory of this process, in bytes.

    ``ru_maxrss`` is not used: Linux keeps this maximum across exec, so it would initially be the maximum of the server.
    """
    with open("/proc/self/statm") as statm:  # noqa: PTH123 - pathlib is not needed here otherwise
        pages = int(statm.read().split()[1])
    return pages * resource.getpagesize()


def main(arguments: Sequence[str]) -> None:
    """Answers requests until the server closes the socket."""
    os.nice(LOWEST_PRIORITY)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would contain the requests of callers
    with suppress(EOFError, OSError), Connection(int(arguments[0])) as server:
        background: tuple[tuple[Kubernetes, str], ...] = pickle.loads(server.recv_bytes())  # noqa: S301 - the server is ours
        while resident_memory() < GROWN:
            server.send_bytes(encode_reply(_answer(pickle.loads(server.recv_bytes()), background, server)))  # noqa: S301
            forget_values()


def _answer(request: Namespaces | Check, background: tuple[tuple[Kubernetes, str], ...], server: Connection) -> Reply:
    try:
        if isinstance(request, Namespaces):
            return NamespacesFound(namespaces_in(request.content))
        behind = RemoteWorld(server) if request.asks else None
        return Reported(report_on(request.content, request.settings, background, behind, request.notes, request.extras))
    except (EOFError, OSError):
        raise
    except MemoryError:
        return Failed.of(Unavailable("the manifests need too much memory", remedy="Send fewer manifests at once."))
    except Exception as error:  # noqa: BLE001 - the outermost handler: the server reports it
        return Failed.of(error)


if __name__ == "__main__":
    main(sys.argv[1:])
