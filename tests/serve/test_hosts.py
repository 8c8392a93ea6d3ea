"""The Host headers that a request may have. DNS rebinding needs a name, so addresses are always accepted."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.surfaces.asgi import Answer, call
from webhook.serve.hosts import KnownHosts, is_one_of

NAMES = ("migratable-api.kubevirt-tools.svc", "vm.example.com", "*.apps.example.com", "10.0.0.7")
OURS = [
    "localhost",
    "localhost:8443",
    "LOCALHOST.:8443",
    "127.0.0.1:8080",
    "10.244.1.17:8080",
    "[::1]:8443",
    "[fd00::17]:8080",
    "migratable-api",
    "migratable-api.kubevirt-tools",
    "migratable-api.kubevirt-tools.svc",
    "migratable-api.kubevirt-tools.svc:443",
    "migratable-api.kubevirt-tools.svc.cluster.local",
    "vm.example.com",
    "VM.Example.Com:443",
    "check.apps.example.com",
]
FOREIGN = [
    "evil.example.com",
    "",
    ":8443",
    "localhost.evil.example.com",
    "evil-localhost",
    "127.0.0.1.evil.example.com",
    "127.0.0.1.nip.io",
    "0x7f.1",
    "2130706433",
    "[localhost]x",
    "migratable-api.kubevirt-tools.svc.evil.example.com",
    "migratable-api.another.svc",
    "migratable-api.kubevirt-tools.svc.cluster.local.evil.example.com",
    "vm.example.com@evil.example.com",
    "apps.example.com",
    "a.b.apps.example.com",
    "example.com",
    "localhost\0.evil.example.com",
]


async def app(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"told"})


def not_counted(_reason: str) -> None:
    pass


def asked(*hosts: str, refused: Callable[[str], None] = not_counted) -> Answer:
    """A request with these Host headers."""
    return call(KnownHosts(app, lambda: NAMES, refused), "GET", "/", headers=[("host", host) for host in hosts])


@pytest.mark.parametrize("host", OURS)
def test_a_name_of_the_server_and_any_address_are_accepted(host: str) -> None:
    """
    Kubelets and Prometheus call pods by address; users call localhost, a Service or an Ingress.
    """
    assert is_one_of(NAMES, host)


@pytest.mark.parametrize("host", FOREIGN)
def test_a_foreign_name_is_refused(host: str) -> None:
    """
    No prefix, suffix or other notation makes a foreign name look like an own one.
    """
    assert not is_one_of(NAMES, host)


def test_the_refusal_names_the_option_and_not_the_host() -> None:
    """
    421 as problem+json; what is behind the listener does not run, and the refusal is counted.
    """
    counted: list[str] = []

    answer = asked("evil.example.com", refused=counted.append)

    assert (answer.status, answer.header("content-type")) == (421, "application/problem+json")
    assert "--allowed-host" in answer.json["remedy"]
    assert "evil" not in json.dumps(answer.json)
    assert counted == ["host"]


def test_every_host_header_is_checked() -> None:
    """
    Some proxies read the second one.
    """
    assert asked("localhost", "evil.example.com").status == 421


def test_a_request_without_host_passes() -> None:
    """
    Load balancers speak HTTP/1.0 to health ports, browsers never do; HTTP/1.1 without Host is refused by the parser.
    """
    assert asked().status == 200


def test_names_follow_the_current_certificate() -> None:
    """
    A renewed certificate may have other names.
    """
    names = ["old.example.com"]
    door = KnownHosts(app, lambda: names, not_counted)

    def status(host: str) -> int:
        return call(door, "GET", "/", headers=[("host", host)]).status

    before = status("new.example.com")
    names[0] = "new.example.com"

    assert (before, status("new.example.com"), status("old.example.com")) == (421, 200, 421)
