"""
Checks the Host header of requests.

The owner of a foreign website can make its name resolve to this server (DNS rebinding). Requests of a browser on that website
then have the foreign name in their Host header. IP addresses cannot be rebound, so they are always accepted. Kubelets and
Prometheus send IP addresses.
"""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final

from webhook.errors import Misconfigured
from webhook.surfaces.asgi import Receive, Scope, Send

REFUSED: Final = 421
LOCALHOST: Final = "localhost"
_HOST: Final = re.compile(r"(?:\[(?P<address>[0-9a-f:.]+)\]|(?P<name>[a-z0-9._-]*))(?::[0-9]*)?", re.ASCII)
_NAME: Final = re.compile(r"(\*\.)?[a-z0-9]([-a-z0-9._]*[a-z0-9])?", re.ASCII)
_BODY: Final = json.dumps(
    {
        "title": "The Host header does not name this server.",
        "status": REFUSED,
        "code": "unknown-host",
        "remedy": "Use a name of the serving certificate, or add the name with --allowed-host (chart: server.allowedHosts).",
    }
).encode()
_HEADERS: Final = (
    (b"content-type", b"application/problem+json"),
    (b"content-length", b"%d" % len(_BODY)),
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
)


@dataclass(frozen=True, slots=True)
class KnownHosts:
    """An ASGI application that responds 421 if the Host header is foreign, and passes all other requests to ``app``."""

    app: Any
    names: Callable[[], Iterable[str]]
    """The current names of this server, such as the names in its certificate. ``*.example.com`` matches one label."""
    refused: Callable[[str], None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] == "http" and not self._knows(scope["headers"]):
            self.refused("host")
            await send({"type": "http.response.start", "status": REFUSED, "headers": list(_HEADERS)})
            await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else _BODY})
            return
        await self.app(scope, receive, send)

    def _knows(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """
        Whether every Host header names this server. A request without a Host header also passes: it is HTTP/1.0, which browsers
        do not use.
        """
        return all(is_one_of(self.names(), value.decode("latin-1")) for name, value in headers if name == b"host")


def checked(names: Iterable[str]) -> tuple[str, ...]:
    """Returns the values of ``--allowed-host``. Raises Misconfigured for an invalid host name."""
    for name in names:
        if not _NAME.fullmatch(name.lower()):
            raise Misconfigured(
                f"--allowed-host {name[:80]!r} is not a host name",
                remedy="Write a name without scheme, port and path, like vm.example.com or *.apps.example.com.",
            )
    return tuple(names)


def is_one_of(names: Iterable[str], host: str) -> bool:
    """Whether a Host header (RFC 9110, section 7.2) is an IP address, localhost or one of the names."""
    name = _name_in(host)
    if name == LOCALHOST or _is_address(name):
        return True
    _, _, domain = name.partition(".")
    return any(name in forms(known) or f"*.{domain}" == known.lower() for known in names)


def forms(name: str) -> tuple[str, ...]:
    """
    Returns the forms of a name that pods can use. A Service name has short forms, and a form with the default cluster domain.
    """
    name = name.lower()
    if not name.endswith(".svc"):
        return (name,)
    service, _, rest = name.partition(".")
    return service, f"{service}.{rest.removesuffix('.svc')}", name, f"{name}.cluster.local"


def _name_in(host: str) -> str:
    """Returns the host without port, brackets and trailing dot, or '' if the host is malformed."""
    match = _HOST.fullmatch(host.lower())
    return (match["address"] or match["name"].removesuffix(".")) if match is not None else ""


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
