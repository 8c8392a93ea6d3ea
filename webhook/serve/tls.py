"""
TLS that follows the files of a mounted Secret.

A new pair is tried in a context of its own and swapped in whole: loading a pair that does not match into the context
in use would break every later handshake. What cannot be served, or is worse than what is, changes nothing: a folder
that is full, read-only, emptied or gone is served on from memory, and a metric tells of it.
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
"""Mounted Secrets are swapped by renaming links, for which files send no events; two small files cost nothing to read."""
MAX_BYTES = 64 * 1024
"""Nothing longer is given to a parser (CVE-2024-12401)."""


class Unusable(Exception):
    """What the folder holds cannot be served, or not instead of what is; says why, without a word of the content."""


class Certificates:
    """The serving certificate of a folder (``tls.crt``, ``tls.key``), and the context that listeners share."""

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
        """What is wrong with the folder or with what is served; empty while all is well."""
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
            raise Unusable(_say(error)) from None

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
        """Makes a context of the files, which must still be what was read: OpenSSL reads them by itself."""
        try:
            leaf = read_leaf(content[0])
            context = self._context()
        except OSError as error:  # ssl.SSLError is one
            raise Unusable(_say(error)) from None
        except ValueError:
            raise Unusable("tls.crt contains no readable certificate") from None
        if self._read() != content:
            raise Unusable("the files changed while they were read")
        return leaf, context

    def _choose(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        """Runs in every handshake, also without SNI."""
        connection.context = self._current

    @property
    def is_stale(self) -> bool:
        """Whether what is served should be replaced and cannot be, or has not been."""
        return bool(self.problem)

    def refresh(self) -> bool:
        """Looks at the folder; True if a new pair is served from now on."""
        try:
            content = self._read()
            if content == self._seen:
                self._tell(
                    "the certificate is due for renewal and has not been replaced"
                    if self.leaf.is_overdue(self._now())
                    else ""
                )
                return False
            leaf, context = self._load(content)
            if why := objection(leaf, self.leaf, self._now()):
                raise Unusable(why)
        except Unusable as error:
            self._tell(str(error))
            return False
        self._seen, self.leaf, self._current = content, leaf, context
        self._tell("")
        log.info("serving a new certificate", extra={"not_after": leaf.not_after.isoformat()})
        return True

    def _tell(self, problem: str) -> None:
        """Remembers a problem, and logs it when it is new and when it has gone."""
        if problem and problem != self.problem:
            log.warning("still serving the old certificate", extra={"problem": problem})
        elif self.problem and not problem:
            log.info("certificate problem resolved")
        self.problem = problem

    async def follow(self, stopping: asyncio.Event, looked: Callable[[], None]) -> None:
        """Looks every few seconds until ``stopping``, in a thread: a mount that hangs must not hang the server."""
        while not stopping.is_set():
            try:
                await asyncio.wait_for(stopping.wait(), self._poll_seconds)
            except TimeoutError:
                await asyncio.to_thread(self.refresh)
                looked()

    @property
    def certificate(self) -> bytes:
        """The PEM that is being served."""
        return self._seen[0]


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise Unusable(f"{path.name} is longer than 64 KiB")
    return content


def _say(error: OSError) -> str:
    """Names the file and what is the matter, as the system puts it; OpenSSL's own words may be missing."""
    if isinstance(error, ssl.SSLError):
        return f"tls.crt and tls.key do not match ({(error.reason or 'unreadable').lower().replace('_', ' ')})"
    name = Path(str(error.filename)).name if error.filename else "the folder"
    return f"{name}: {(error.strerror or type(error).__name__).lower()}"


def _no_password() -> str:
    """An encrypted key must not make OpenSSL ask on the terminal."""
    return ""
