"""Consecutive writes are sent in one piece, without loss or delay."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from webhook.serve.buffered_writes import BufferedTransport


class Transport:
    """Notes what reaches it."""

    def __init__(self) -> None:
        self.seen: list[bytes | str] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.seen.append(data)

    def close(self) -> None:
        self.closed = True
        self.seen.append("close")

    def abort(self) -> None:
        self.closed = True
        self.seen.append("abort")

    def is_closing(self) -> bool:
        return self.closed


def seen(*turns: Callable[[Any], None]) -> list[bytes | str]:
    """What a transport got from what was done to it in so many turns of the loop."""

    async def run() -> list[bytes | str]:
        transport = Transport()
        corked = BufferedTransport(cast("asyncio.Transport", transport))
        for turn in turns:
            turn(corked)
            await asyncio.sleep(0)
        return transport.seen

    return asyncio.run(run())


def test_two_consecutive_writes_are_sent_together() -> None:
    """
    Headers and body, written one after the other, are sent in one piece.
    """

    def answer(corked: BufferedTransport) -> None:
        corked.write(b"head")
        corked.write(b"body")

    assert seen(answer, answer) == [b"headbody", b"headbody"]


def test_a_single_write_is_sent_in_the_next_turn_of_the_loop() -> None:
    """
    A write that no other write follows is sent, too: 100 Continue, or a part of a stream.
    """
    assert seen(lambda corked: corked.write(b"a"), lambda corked: corked.write(b"b")) == [b"a", b"b"]


def test_closing_sends_pending_bytes_first() -> None:
    """
    A response that ends its connection arrives.
    """

    def answer(corked: BufferedTransport) -> None:
        corked.write(b"last words")
        corked.close()

    assert seen(answer) == [b"last words", "close"]


def test_aborting_sends_no_pending_bytes() -> None:
    """
    An aborted connection gets no more bytes.
    """

    def cut(corked: BufferedTransport) -> None:
        corked.write(b"never")
        corked.abort()

    assert seen(cut, lambda _: None) == ["abort"]
