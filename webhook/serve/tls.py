"""
TLS that follows the files of a mounted Secret.

A new pair is tried in a context of its own and swapped in whole: loading a pair that does not match into the context
in use would break every later handshake. A bad pair, an empty folder or no folder at all change nothing.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable
from pathlib import Path

from webhook.errors import Misconfigured

log = logging.getLogger("migratable.tls")

POLL_SECONDS = 5.0
"""Mounted Secrets are swapped by renaming links, for which files send no events."""


class Certificates:
    """The serving certificate of a folder (``tls.crt``, ``tls.key``), and the context that listeners share."""

    def __init__(self, folder: Path, client_ca: Path | None = None) -> None:
        self._folder = folder
        self._client_ca = client_ca
        self._seen: tuple[bytes, bytes] = (b"", b"")
        self.failures = 0
        """How often a pair could not be loaded since the start."""
        try:
            self._current = self._load()
        except OSError as error:  # ssl.SSLError is one
            reason = error.strerror or type(error).__name__
            raise Misconfigured(
                f"no usable tls.crt and tls.key in {folder}: {reason}",
                remedy="Make a pair with `python -m certs dev`, or name the folder with --cert-dir.",
            ) from None
        self.listening = self._context()
        self.listening.sni_callback = self._choose

    def _read(self) -> tuple[bytes, bytes]:
        return (self._folder / "tls.crt").read_bytes(), (self._folder / "tls.key").read_bytes()

    def _context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self._folder / "tls.crt", self._folder / "tls.key")
        context.set_alpn_protocols(["http/1.1"])
        if self._client_ca is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self._client_ca)
        return context

    def _load(self) -> ssl.SSLContext:
        seen = self._read()
        context = self._context()
        self._seen = seen
        return context

    def _choose(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        """Runs in every handshake, also without SNI."""
        connection.context = self._current

    def refresh(self) -> bool:
        """Loads the folder's pair if it changed; True if a new one is served from now on."""
        try:
            if self._read() == self._seen:
                return False
            self._current = self._load()
        except OSError as error:
            self.failures += 1
            log.warning("keeping the old certificate", extra={"error": type(error).__name__})
            return False
        log.info("serving a new certificate")
        return True

    async def follow(self, stopping: asyncio.Event, changed: Callable[[], None]) -> None:
        """Looks every few seconds until ``stopping``."""
        while not stopping.is_set():
            try:
                await asyncio.wait_for(stopping.wait(), POLL_SECONDS)
            except TimeoutError:
                if self.refresh():
                    changed()

    @property
    def certificate(self) -> bytes:
        """The PEM that is being served."""
        return self._seen[0]
