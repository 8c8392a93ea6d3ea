"""Faults between the server and a real API server are detected and repaired without a storm of lists."""

import json
import re
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from tests.apiserver import crds
from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.facts.test_cluster_facts import NAD, claim, claims, modes, nad, nads
from tests.apiserver.faulty_proxy import FaultyProxy, faulty_proxy
from tests.waiting import PATIENCE_SECONDS, wait_until
from webhook.cluster.facts import ClusterFacts
from webhook.cluster.watch import Pace
from webhook.objects.storage import PersistentVolumeClaim

pytestmark = pytest.mark.apiserver

KINDS = (PersistentVolumeClaim, NAD)
CLAIMS = "/api/v1/persistentvolumeclaims"


class Followed:
    """Claims and networks of a control plane, seen through a proxy that can be broken."""

    def __init__(self, plane: ControlPlane, proxy: FaultyProxy, facts: ClusterFacts) -> None:
        self.plane, self.proxy, self.facts = plane, proxy, facts
        self.namespace = plane.client.create_namespace("faults")
        self.made = 0

    def make_claim(self, mode: str = "ReadWriteMany") -> Callable[[], bool]:
        """Makes a claim; what is returned says whether it is known."""
        self.made += 1
        name = f"c{self.made}"
        self.plane.client.create(claims(self.namespace), claim(name, mode))
        return lambda: modes(self.facts, self.namespace, name) == [mode]

    def problem(self) -> str:
        """The problem of the watch of claims."""
        return self.facts.statistics()[0].problem

    def lists(self) -> int:
        """How many times claims were listed from the beginning."""
        return sum(target.startswith(CLAIMS) for _, target in self.proxy.lists)

    def is_found_again(self) -> None:
        """A claim that is made now becomes known."""
        wait_until(self.make_claim(), PATIENCE_SECONDS, "a claim made after the trouble")


@contextmanager
def followed(plane: ControlPlane, folder: Path, pace: Pace) -> Iterator[Followed]:
    with faulty_proxy(plane, folder) as (proxy, kubeconfig):
        facts = ClusterFacts(KINDS, pace=pace)
        facts.start(kubeconfig)
        try:
            wait_until(lambda: facts.ready, PATIENCE_SECONDS, "claims and networks to be synced")
            yield Followed(plane, proxy, facts)
        finally:
            facts.stop()


@pytest.fixture
def here(control_plane: ControlPlane, tmp_path: Path) -> Iterator[Followed]:
    """With the product's own pace, but for the silence that counts as trouble."""
    with followed(control_plane, tmp_path, Pace(silence_seconds=2.0)) as ready:
        yield ready


def test_a_half_open_connection_is_closed(here: Followed) -> None:
    """
    The connection is silent but does not end. The store notices the silence and continues the watch where it stopped.
    """
    here.is_found_again()
    here.proxy.silent = True
    missed = here.make_claim()
    wait_until(here.problem, PATIENCE_SECONDS, "the silence to be noticed")

    here.proxy.silent = False

    wait_until(missed, PATIENCE_SECONDS, "what was missed")
    here.is_found_again()
    assert here.lists() == 1


def test_a_truncated_event_needs_no_new_list(here: Followed) -> None:
    """
    A stream that ends within an event is continued before that event.
    """
    here.is_found_again()
    here.proxy.cut_within_event = 1

    cut = here.make_claim()

    wait_until(cut, PATIENCE_SECONDS, "the claim whose event was cut")
    assert here.proxy.cut_within_event == 0
    assert here.lists() == 1


def test_refused_lists_are_retried_with_growing_pauses(control_plane: ControlPlane, tmp_path: Path) -> None:
    """
    HTTP 429: there are few retries with growing pauses, whatever Retry-After contains. The server is ready soon after
    the refusals end.
    """
    with faulty_proxy(control_plane, tmp_path) as (proxy, kubeconfig):
        proxy.refuse_lists = True
        facts = ClusterFacts(KINDS)
        facts.start(kubeconfig)
        try:
            wait_until(lambda: len(proxy.lists) >= 6, PATIENCE_SECONDS, "three tries for each kind")
            refused = {statistic.problem for statistic in facts.statistics()}
            times = [time for time, target in proxy.lists if target.startswith(CLAIMS)]
            ready = facts.ready

            proxy.refuse_lists = False
            wait_until(lambda: facts.ready, PATIENCE_SECONDS, "the lists")
        finally:
            facts.stop()

    assert not ready
    assert refused == {"the API server returned HTTP 429"}
    assert all(later - earlier >= 0.2 for earlier, later in pairwise(times))


def test_a_compacted_position_costs_one_list(tmp_path: Path) -> None:
    """
    etcd was compacted and the API server restarted: after HTTP 410 each kind is listed once, and objects that were
    deleted meanwhile are gone.
    """
    with ControlPlane(crds=crds.OWN) as plane, followed(plane, tmp_path, Pace(silence_seconds=2.0)) as here:
        here.is_found_again()
        plane.client.create(nads(here.namespace), nad("lan"))
        wait_until(
            lambda: isinstance(here.facts.world().find(NAD, here.namespace, "lan"), NAD),
            PATIENCE_SECONDS,
            "the network",
        )
        here.proxy.closed = True
        here.proxy.break_all()
        missed = here.make_claim()
        assert plane.client.api("DELETE", f"{nads(here.namespace)}/lan").status == 200
        compact(plane)
        plane.restart()

        here.proxy.closed = False

        wait_until(missed, PATIENCE_SECONDS, "what was missed")
        gone = here.facts.world().find
        wait_until(
            lambda: not isinstance(gone(NAD, here.namespace, "lan"), NAD), PATIENCE_SECONDS, "the network to be gone"
        )
        here.is_found_again()
        assert here.lists() == 2


def test_each_restart_of_the_api_server_costs_at_most_one_list(tmp_path: Path) -> None:
    """
    The store reconnects after each of two restarts.
    """
    with ControlPlane(crds=crds.OWN) as plane, followed(plane, tmp_path, Pace(silence_seconds=2.0)) as here:
        for _ in range(2):
            plane.restart()
            here.is_found_again()

        assert here.lists() <= 3


def compact(plane: ControlPlane) -> None:
    """etcd forgets everything but the newest state (its HTTP gateway, ``/v3/kv/compaction``)."""
    match = re.search(r"--etcd-servers=(\S+)", " ".join(plane._argv["kube-apiserver"]))
    assert match is not None

    def ask(path: str, body: object) -> dict[str, dict[str, str]]:
        request = urllib.request.Request(f"{match[1]}/v3/kv/{path}", json.dumps(body).encode())
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=10) as answer:
            parsed: dict[str, dict[str, str]] = json.loads(answer.read())
            return parsed

    revision = ask("range", {"key": "AA=="})["header"]["revision"]
    ask("compaction", {"revision": revision, "physical": True})
