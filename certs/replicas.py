"""Reads the served certificate of each replica with a TLS handshake."""

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
"""The number of parallel handshakes. It is high enough that repairs wait only for seconds if no address responds."""


class DnsReplicas:
    """
    The replicas behind host names and ports. The name of a headless Service has one address per replica.

    The handshake verifies only that the server has the key of its certificate. The handshake requires TLS 1.3, in which the
    client completes a handshake without a client certificate, even if the server requests one.
    """

    def __init__(self, places: Iterable[tuple[str, int]], server_name: str) -> None:
        self._places = tuple(places)
        self._server_name = server_name
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context.check_hostname = False
        self._context.verify_mode = ssl.CERT_NONE
        self._context.minimum_version = ssl.TLSVersion.TLSv1_3
        self._logged = ""

    def served(self) -> Mapping[str, bytes]:
        """Returns the served certificates (PEM) by address, without addresses that do not respond."""
        addresses = [address for place in self._places for address in _resolve(*place)][:MAX_REPLICAS]
        with ThreadPoolExecutor(AT_A_TIME, "replica") as pool:
            certificates = pool.map(self._read_certificate, addresses)
            pairs = zip(addresses, certificates, strict=True)
            served = {f"{host}:{port}": pem for (host, port), pem in pairs if pem is not None}
        self._log_change(f"{len(served)} of {len(addresses)} replicas responded with their certificate")
        return served

    def _read_certificate(self, address: tuple[str, int]) -> bytes | None:
        try:
            with (
                socket.create_connection(address, HANDSHAKE_SECONDS) as connection,
                self._context.wrap_socket(connection, server_hostname=self._server_name) as tls,
            ):
                der = tls.getpeercert(binary_form=True)
        except OSError:
            return None
        return None if der is None else ssl.DER_cert_to_PEM_cert(der).encode("ascii")

    def _log_change(self, line: str) -> None:
        if line != self._logged:
            log.info("%s", line)
        self._logged = line


def _resolve(host: str, port: int) -> list[tuple[str, int]]:
    try:
        records = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return sorted({(str(address[0]), port) for *_, address in records})
