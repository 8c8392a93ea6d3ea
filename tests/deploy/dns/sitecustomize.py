"""Python imports this module if its folder is on PYTHONPATH. Names of Services then lead to processes of a test."""

import json
import os
import socket
from typing import Any

HOSTS: dict[str, str] = json.loads(os.environ.get("MIGRATABLE_TEST_HOSTS", "{}"))
_ask = socket.getaddrinfo


def getaddrinfo(host: Any, port: Any, *arguments: Any, **named: Any) -> Any:
    """The answer for what is in HOSTS instead, else that of the resolver."""
    there = HOSTS.get(f"{host}:{port}")
    if there is not None:
        host, _, port = there.rpartition(":")
        port = int(port)
    return _ask(host, port, *arguments, **named)


socket.getaddrinfo = getaddrinfo
