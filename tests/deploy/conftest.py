"""A control plane of their own for these tests: what they install would meet the objects of others."""

from collections.abc import Iterator

import pytest

from tests.apiserver import crds
from tests.apiserver.controlplane import ControlPlane


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    """A control plane that no other module of tests has seen."""
    with ControlPlane(crds=crds.OWN) as running:
        yield running
