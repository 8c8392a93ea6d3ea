"""One running server for all nasty inputs, and checks that hold after each of them."""

import json
from collections.abc import Iterator

import pytest

from tests.apiserver.pki import CertificateAuthority
from tests.apiserver.serving import running
from tests.nasty.door import AROUND, CANARY, Doorway, trusting


@pytest.fixture(scope="package")
def doorway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doorway]:
    """`migratable serve` on a few manifests."""
    authority, folder = CertificateAuthority(), tmp_path_factory.mktemp("nasty")
    facts = folder / "facts.json"
    facts.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": AROUND}))
    with running(authority, folder / "serve", "--facts", str(facts)) as server:
        yield Doorway(server, trusting(authority))


@pytest.fixture
def door(doorway: Doorway) -> Iterator[Doorway]:
    """The server; whatever a test sent, no answer was a 5xx, nothing was told that must not be, and it lives."""
    doorway.said.clear()
    yield doorway
    said = doorway.everything_said()
    assert [response.status for response in doorway.said if response.status >= 500] == []
    assert CANARY.encode() not in said
    assert b"Traceback" not in said
    assert b"internal error" not in said
    assert doorway.server.ready()
