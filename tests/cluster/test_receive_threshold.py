"""The bytes that must arrive before the responses of a pipeline are read."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest

from webhook.cluster import receive_threshold
from webhook.cluster.receive_threshold import MAX_BYTES, ReceiveThreshold


class Socket:
    """Records the thresholds that are set."""

    def __init__(self) -> None:
        self.thresholds: list[int] = []
        self.removed = asyncio.Event()
        self.error: OSError | None = None

    def setsockopt(self, level: int, option: int, value: int) -> None:
        assert (level, option) == (socket.SOL_SOCKET, socket.SO_RCVLOWAT)
        self.thresholds.append(value)
        if value == 1:
            self.removed.set()
        if self.error is not None:
            raise self.error


class Transport(asyncio.Transport):
    def __init__(self, of: Socket | None) -> None:
        super().__init__({"socket": of})


def thresholds(work: Callable[[ReceiveThreshold, Socket], Awaitable[object] | None]) -> list[int]:
    """The thresholds after a pipeline of four responses with 100 bytes each."""

    async def main() -> list[int]:
        one = Socket()
        threshold = ReceiveThreshold(Transport(one))
        threshold.begin(4)
        threshold.received(400, 4, 0)
        assert one.thresholds == [], "the size of responses is not known yet"
        if (rest := work(threshold, one)) is not None:
            await rest
        threshold.stop()
        return one.thresholds

    return asyncio.run(main())


def test_the_threshold_is_the_size_of_the_missing_responses() -> None:
    """
    The last response is read at once, however small it is.
    """

    def work(threshold: ReceiveThreshold, _: Socket) -> None:
        threshold.begin(3)
        threshold.received(150, 1, 2)
        threshold.received(10, 0, 2)
        threshold.received(100, 1, 1)

    assert thresholds(work) == [300, 200, 1]


def test_the_next_pipeline_uses_the_sizes_of_the_last_one() -> None:
    def work(threshold: ReceiveThreshold, _: Socket) -> None:
        threshold.begin(2)
        threshold.received(60, 2, 0)
        threshold.begin(2)

    assert thresholds(work) == [200, 1, 60]


def test_a_threshold_is_limited() -> None:
    assert thresholds(lambda threshold, _: threshold.begin(MAX_BYTES)) == [MAX_BYTES]


def test_a_timer_removes_the_threshold(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Otherwise a response would wait for a slow response behind it until the review ends.
    """
    monkeypatch.setattr(receive_threshold, "WAIT_SECONDS", 0.0)

    def work(threshold: ReceiveThreshold, one: Socket) -> Awaitable[object]:
        threshold.begin(2)
        return asyncio.wait_for(one.removed.wait(), 10)

    assert thresholds(work) == [200, 1]


def test_a_socket_without_the_option_keeps_its_threshold() -> None:
    def work(threshold: ReceiveThreshold, one: Socket) -> None:
        one.error = OSError("Protocol not available")
        threshold.begin(4)
        threshold.received(100, 1, 3)

    assert thresholds(work) == [400]


def test_a_transport_without_a_socket_has_no_threshold(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    And no timer, which would wake the event loop for nothing.
    """
    timers: list[float] = []

    async def main() -> None:
        monkeypatch.setattr(asyncio.get_running_loop(), "call_later", lambda seconds, _: timers.append(seconds))
        threshold = ReceiveThreshold(Transport(None))
        threshold.begin(4)
        threshold.received(400, 4, 0)
        threshold.begin(4)

    asyncio.run(main())

    assert timers == []
