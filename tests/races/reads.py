"""
Live reads on an event loop under stress: an API server that is slow or closes connections in the middle of a response, and
callers that give up.

Invariants: a response belongs to its request; connections stay within the limit; after the last call no request is in progress.
"""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field

from tests.races.stress import Run
from webhook.cluster.http_client import ConnectionSettings, HttpReader
from webhook.cluster.ports import Get
from webhook.errors import Unavailable

CONNECTIONS = 4
CALLERS = 24
QUIET_SECONDS = 20.0


@dataclass
class Server:
    """Answers each GET with its own path, when it does not do something else."""

    chance: random.Random
    open: int = 0
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set whenever no connection is open."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.open += 1
        self.closed.clear()
        try:
            while path := await _path(reader):
                if not await self._answered(path, writer):
                    return
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open -= 1
            writer.close()
            if not self.open:
                self.closed.set()

    async def _answered(self, path: bytes, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection goes on."""
        body = b'{"path": "%s"}' % path
        whole = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)
        dice = self.chance.random()
        what = "answer"
        if dice < 0.04:
            what, whole = "cut", whole[: self.chance.randrange(len(whole))]
        elif dice < 0.08:
            what, whole = "last", whole.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n", 1)
        elif dice < 0.12:
            what, whole = "junk", b"\x16\x03\x01 no HTTP\r\n\r\n"
        elif dice < 0.2:
            what = "late"
            await asyncio.sleep(self.chance.random() * 0.03)  # late responses are a fault under test
        elif dice < 0.5:
            await asyncio.sleep(0)
        if self.chance.random() < 0.2:  # in two parts
            half = self.chance.randrange(len(whole) + 1)
            writer.write(whole[:half])
            await asyncio.sleep(0)
            whole = whole[half:]
        writer.write(whole)
        await writer.drain()
        return what in ("answer", "late")


async def _path(reader: asyncio.StreamReader) -> bytes:
    """The path of the next request; empty where none comes."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""
    return head.split(b" ", 2)[1]


async def stressed(run: Run, seed: int) -> None:
    """Callers for the time of the run."""
    chance = random.Random(seed)
    server = Server(random.Random(seed + 1))
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    reads = HttpReader(ConnectionSettings("127.0.0.1", port, "", None, None, lambda: None), "stress", CONNECTIONS)
    counts: Counter[str] = Counter()

    async def call(number: int) -> None:
        turn = 0
        while not run.over:
            turn += 1
            gets = [Get(f"/{number}/{turn}/{index}", "application/json") for index in range(chance.randint(1, 5))]
            try:
                async with asyncio.timeout(chance.choice((0.002, 0.01, 1.0))):  # a caller that gives up
                    answers = await reads.get_all(gets, chance.choice((0.002, 0.02, 1.0)))
            except (TimeoutError, Unavailable) as error:
                counts[type(error).__name__] += 1
                continue
            counts["answered"] += 1
            wanted = [b'{"path": "%s"}' % get.path.encode() for get in gets]
            bodies = [answer.body for answer in answers]
            if bodies != wanted:
                run.report(f"asked {wanted}, answered {bodies}")

    await asyncio.gather(*(call(number) for number in range(CALLERS)))
    run.rounds.update({f"reads {what}": number for what, number in counts.items()})
    await _quiet(run, reads, server)
    listening.close()


async def _quiet(run: Run, reads: HttpReader, server: Server) -> None:
    """Waits until no connection is being opened. Then reports requests and connections that are still kept."""
    if reads._opening is not None:
        await asyncio.wait((reads._opening,), timeout=QUIET_SECONDS)
    queued = len(reads._small) + len(reads._large)
    if reads._busy or queued:
        run.report(f"{len(reads._busy)} connections and {queued} requests are in progress")
    if len(reads._idle) > CONNECTIONS:
        run.report(f"{len(reads._idle)} connections are kept, {CONNECTIONS} are allowed")
    reads.close()
    try:
        await asyncio.wait_for(server.closed.wait(), QUIET_SECONDS)
    except TimeoutError:
        run.report(f"{server.open} connections are still open")


def stress(seconds: float, seed: int) -> Run:
    """The whole of it."""
    run = Run(seconds)
    asyncio.run(stressed(run, seed))
    return run
