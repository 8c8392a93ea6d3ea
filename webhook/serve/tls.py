"""
Provides TLS with certificates that are reloaded from a mounted Secret.

A new pair is loaded into a new SSL context, which then replaces the old context. If a certificate and key that do not match
were loaded into the context in use, every later handshake would fail. If the files are unusable or missing, the server
continues to serve the loaded certificate, and ``migratable_certificate_stale`` is 1.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from webhook.errors import Misconfigured
from webhook.serve.serving_certificate import Leaf, objection, read_leaf

log = logging.getLogger("migratable.tls")

POLL_SECONDS = 1.0
"""
The interval between two reads of the files. The files are polled, because kubelet replaces mounted Secrets by renaming a link,
which causes no file event.
"""
MAX_BYTES = 64 * 1024
"""The maximum size of a file. Larger files are not parsed (CVE-2024-12401)."""


class Unusable(Exception):
    """The files cannot be served, or must not replace the files in use. The message contains no content of the files."""


class Certificates:
    """The serving certificate in a folder (``tls.crt``, ``tls.key``), and the SSL context that listeners share."""

    def __init__(
        self,
        folder: Path,
        client_ca: Path | None = None,
        *,
        poll_seconds: float = POLL_SECONDS,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._folder = folder
        self._client_ca = client_ca
        self._poll_seconds = poll_seconds
        self._now = now
        self.problem = ""
        """The problem with the files or the served certificate (empty if there is no problem)."""
        try:
            self._seen = self._read()
            self.leaf, self._current = self._load(self._seen)
        except Unusable as error:
            raise Misconfigured(
                f"no usable tls.crt and tls.key in {folder}: {error}",
                remedy="Create a pair with `python -m certs dev`, or set --cert-dir.",
            ) from None
        self.listening = self._context()
        self.listening.sni_callback = self._choose

    def _read(self) -> tuple[bytes, ...]:
        paths = [self._folder / "tls.crt", self._folder / "tls.key"]
        if self._client_ca is not None:
            paths.append(self._client_ca)
        try:
            return tuple(map(_read, paths))
        except OSError as error:
            raise Unusable(_text_of(error)) from None

    def _context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self._folder / "tls.crt", self._folder / "tls.key", password=_no_password)
        context.set_alpn_protocols(["http/1.1"])
        if self._client_ca is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            try:
                context.load_verify_locations(self._client_ca)
            except ssl.SSLError:
                raise Unusable(f"{self._client_ca.name} contains no CA certificate") from None
        return context

    def _load(self, content: tuple[bytes, ...]) -> tuple[Leaf, ssl.SSLContext]:
        """
        Returns the certificate and a context from the files. Raises Unusable if they no longer contain ``content``, because
        OpenSSL reads the files itself.
        """
        try:
            leaf = read_leaf(content[0])
            context = self._context()
        except OSError as error:  # including ssl.SSLError
            raise Unusable(_text_of(error)) from None
        except ValueError:
            raise Unusable("tls.crt contains no readable certificate") from None
        if self._read() != content:
            raise Unusable("the files changed while they were read")
        return leaf, context

    def _choose(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        """Select the context. OpenSSL calls this method in every handshake, also without SNI."""
        connection.context = self._current

    @property
    def is_stale(self) -> bool:
        """Whether the certificate is overdue for renewal, or the files are unusable."""
        return bool(self.problem)

    def refresh(self) -> bool:
        """Read the files. Returns True if a new pair is served from now on."""
        try:
            content = self._read()
            if content == self._seen:
                self._report(
                    "the certificate is due for renewal and has not been replaced"
                    if self.leaf.is_overdue(self._now())
                    else ""
                )
                return False
            leaf, context = self._load(content)
            if why := objection(leaf, self.leaf, self._now()):
                raise Unusable(why)
        except Unusable as error:
            self._report(str(error))
            return False
        self._seen, self.leaf, self._current = content, leaf, context
        self._report("")
        log.info("serving a new certificate", extra={"not_after": leaf.not_after.isoformat()})
        return True

    def _report(self, problem: str) -> None:
        """Store the problem, and log it when it begins and ends."""
        if problem and problem != self.problem:
            log.warning("still serving the old certificate", extra={"problem": problem})
        elif self.problem and not problem:
            log.info("certificate problem resolved")
        self.problem = problem

    async def follow(self, stopping: asyncio.Event, refreshed: Callable[[], None]) -> None:
        """
        Refresh periodically until ``stopping`` is set. Reads in a thread, because a hanging mount must not block the server.
        """
        while not stopping.is_set():
            try:
                await asyncio.wait_for(stopping.wait(), self._poll_seconds)
            except TimeoutError:
                await asyncio.to_thread(self.refresh)
                refreshed()

    @property
    def certificate(self) -> bytes:
        """The served certificate in PEM."""
        return self._seen[0]


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise Unusable(f"{path.name} is longer than 64 KiB")
    return content


def _text_of(error: OSError) -> str:
    """Returns the name of the file and the error from the operating system. An OpenSSL error might not have a reason."""
    if isinstance(error, ssl.SSLError):
        return f"tls.crt and tls.key do not match ({(error.reason or 'unreadable').lower().replace('_', ' ')})"
    name = Path(str(error.filename)).name if error.filename else "the folder"
    return f"{name}: {(error.strerror or type(error).__name__).lower()}"


def _no_password() -> str:
    """Returns an empty password, so that OpenSSL does not prompt for a password if the key is encrypted."""
    return ""
