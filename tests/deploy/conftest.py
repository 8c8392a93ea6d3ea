"""A control plane of their own for these tests: what they install would meet the objects of others."""

from collections.abc import Iterator

import pytest

from tests.apiserver.controlplane import ControlPlane
from tests.deploy.manifests import CRDS


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    """A control plane that no other module of tests has seen."""
    with ControlPlane(crds=CRDS) as running:
        yield running
