"""Small reads on the event loop, from the server of http_apiserver."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tests.cluster.http_apiserver import CLAIM
from webhook.cluster.http_client import HttpReader
from webhook.cluster.kubernetes_client import KubernetesTransport
from webhook.cluster.ports import Answer, Get

T = TypeVar("T")
OTHER = CLAIM + "2"
SECONDS = 20.0


def run(transport: KubernetesTransport, work: Callable[[HttpReader], Awaitable[T]], connections: int = 4) -> T:
    async def main() -> T:
        settings = transport.connection_settings()
        assert settings is not None
        reads = HttpReader(settings, "migratable/0", connections)
        try:
            return await work(reads)
        finally:
            reads.close()

    return asyncio.run(main())


def both(reads: HttpReader, seconds: float = SECONDS) -> Awaitable[list[Answer]]:
    return reads.get_all([Get(CLAIM, "application/json"), Get(OTHER, "text/x")], seconds)
