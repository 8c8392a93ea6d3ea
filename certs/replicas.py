"""Asks the servers themselves which certificate they serve: a handshake with each address, and no more."""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

log = logging.getLogger(__name__)

HANDSHAKE_SECONDS: Final = 1.0
MAX_REPLICAS: Final = 64
AT_A_TIME: Final = 16
"""So that even where nobody answers, damage elsewhere waits for seconds only."""


class DnsReplicas:
    """
    The replicas behind some names and ports; that of a headless Service has one address for each.

    Nothing is verified but that whoever answers holds the key of what it shows (TLS 1.3, which shows it before a client
    has to show anything): what is asked is what is served, not whether it is good.
    """

    def __init__(self, places: Iterable[tuple[str, int]], server_name: str) -> None:
        self._places = tuple(places)
        self._server_name = server_name
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context.check_hostname = False
        self._context.verify_mode = ssl.CERT_NONE
        self._context.minimum_version = ssl.TLSVersion.TLSv1_3
        self._told = ""

    def served(self) -> Mapping[str, bytes]:
        """Tell what is served at each address that answers, PEM; an address that does not is left out."""
        addresses = [address for place in self._places for address in _resolve(*place)][:MAX_REPLICAS]
        with ThreadPoolExecutor(AT_A_TIME, "replica") as pool:
            certificates = pool.map(self._ask, addresses)
            answers = zip(addresses, certificates, strict=True)
            served = {f"{host}:{port}": pem for (host, port), pem in answers if pem is not None}
        self._tell(f"{len(served)} of {len(addresses)} replicas told what they serve")
        return served

    def _ask(self, address: tuple[str, int]) -> bytes | None:
        try:
            with (
                socket.create_connection(address, HANDSHAKE_SECONDS) as connection,
                self._context.wrap_socket(connection, server_hostname=self._server_name) as tls,
            ):
                der = tls.getpeercert(binary_form=True)
        except OSError:
            return None
        return None if der is None else ssl.DER_cert_to_PEM_cert(der).encode("ascii")

    def _tell(self, line: str) -> None:
        if line != self._told:
            log.info("%s", line)
        self._told = line


def _resolve(host: str, port: int) -> list[tuple[str, int]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return sorted({(str(address[0]), port) for *_, address in found})
