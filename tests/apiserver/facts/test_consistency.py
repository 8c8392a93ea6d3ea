"""
Verdicts use current facts: VMs are created while their claims, DataVolumes, profiles and instancetypes change.

`make test` makes a few dozen edits for each delay of the watch. MIGRATABLE_CONSISTENCY_EDITS=500 makes 500.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.apiserver import crds
from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.faulty_proxy import FaultyProxy, faulty_proxy
from tests.apiserver.racing import Race
from tests.apiserver.serving import Serving, install_hooks, serving

pytestmark = pytest.mark.apiserver

EDITS = int(os.environ.get("MIGRATABLE_CONSISTENCY_EDITS", "40"))
PER_SECOND = 10
EACH = 4 if EDITS < 500 else 10


@dataclass
class Racing:
    """The racing object, the path of its facts, and the deciding server."""

    race: Race
    proxy: FaultyProxy
    server: Serving

    def live_reads(self, ended: str) -> int:
        """How many reviews live reads ended so for."""
        match = re.search(
            rf'^migratable_live_read_seconds_count{{ended="{ended}"}} ([\d.]+)', self.server.metrics(), re.MULTILINE
        )
        return int(float(match[1])) if match else 0


@pytest.fixture(scope="module")
def racing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Racing]:
    """A control plane with this server, which reads the cluster through a proxy, and the racing objects."""
    folder: Path = tmp_path_factory.mktemp("consistency")
    with ControlPlane(crds=crds.OWN) as plane, faulty_proxy(plane, folder) as (proxy, kubeconfig):
        race = Race(plane.client, plane.client.create_namespace("race"), EACH)
        with serving(plane, folder / "serve", "--kubeconfig", str(kubeconfig)) as server:
            install_hooks(plane, server)
            yield Racing(race, proxy, server)


@pytest.mark.parametrize("delay", [0.0, 2.0, 30.0])
def test_a_late_watch_makes_no_verdict_wrong(racing: Racing, delay: float) -> None:
    """
    No request is denied for a fact that was false during the request, or allowed for one that has been false for a second.
    """
    racing.proxy.watch_delay = delay
    before = racing.live_reads("same"), racing.live_reads("judged")

    seen = racing.race.run(EDITS, PER_SECOND)

    print(f"watch {delay:g} s late: {seen}")
    assert seen.wrong == []
    if delay < 30:  # what is half a minute late has seldom heard of the last edit
        assert racing.live_reads("same") > before[0], "no allow was given without a second judgement"
    assert racing.live_reads("judged") > before[1]
    assert min(seen.allowed, seen.denied, seen.settled_bad) >= EDITS / 4, str(seen)
