"""Joins the two writes of a response, because uvicorn writes headers and body separately."""

import asyncio
from typing import Any


class BufferedTransport:
    """
    A transport that delays a write until the next write or the next iteration of the event loop.

    Over TLS, two small writes are two records, two system calls and two segments. Two separate writes would increase the CPU
    time of an admission review by a tenth.
    """

    __slots__ = ("_held", "_loop", "_transport", "is_closing")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._held = b""
        self.is_closing = transport.is_closing
        """As ``asyncio.BaseTransport.is_closing``."""

    def write_now(self, data: bytes) -> None:
        """Write data that is a whole response."""
        held, self._held = self._held, b""
        self._transport.write(held + data if held else data)

    def write(self, data: bytes) -> None:
        """As ``asyncio.WriteTransport.write``."""
        if self._held:
            held, self._held = self._held, b""
            self._transport.write(held + data)
        else:
            self._held = data
            self._loop.call_soon(self._flush)

    def close(self) -> None:
        """Close the transport after all pending data is sent, as ``asyncio.BaseTransport.close`` does."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._held and not self._transport.is_closing():
            self._transport.write(self._held)
        self._held = b""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - all other attributes of the transport
        return getattr(self._transport, name)
