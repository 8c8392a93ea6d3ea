"""
What is decided on is true: machines race against edits of their claims, DataVolumes, profiles and instancetypes.

In `make test` a few dozen edits for each delay of the watch; MIGRATABLE_CONSISTENCY_EDITS=500 runs the whole figure.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.apiserver import crds
from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.faulty_proxy import FaultyProxy, faulty_proxy
from tests.apiserver.racing import Race
from tests.apiserver.serving import install_hooks, serving

pytestmark = pytest.mark.apiserver

EDITS = int(os.environ.get("MIGRATABLE_CONSISTENCY_EDITS", "40"))
PER_SECOND = 10
EACH = 4 if EDITS < 500 else 10


@pytest.fixture(scope="module")
def racing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Race, FaultyProxy]]:
    """A control plane that asks our server, which sees the cluster through the proxy, and what races in it."""
    folder: Path = tmp_path_factory.mktemp("consistency")
    with ControlPlane(crds=crds.OWN) as plane, faulty_proxy(plane, folder) as (proxy, kubeconfig):
        race = Race(plane.client, plane.client.create_namespace("race"), EACH)
        with serving(plane, folder / "serve", "--kubeconfig", str(kubeconfig)) as server:
            install_hooks(plane, server)
            yield race, proxy


@pytest.mark.parametrize("delay", [0.0, 2.0, 30.0])
def test_no_verdict_is_false_however_late_the_watch_is(racing: tuple[Race, FaultyProxy], delay: float) -> None:
    """
    Nobody is denied for what was not so while he asked, and nobody is allowed what has not been so for a second.
    """
    race, proxy = racing
    proxy.watch_delay = delay

    seen = race.run(EDITS, PER_SECOND)

    print(f"watch {delay:g} s late: {seen}")
    assert seen.wrong == []
    assert min(seen.allowed, seen.denied, seen.settled_bad) >= EDITS / 4, str(seen)
