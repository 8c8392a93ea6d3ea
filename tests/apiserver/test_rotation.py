"""Certificates change under load, and nobody notices: a real API server, two serving processes, a real rotator."""

import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from certs.authority import CertificateAuthority, KeyPair
from tests.apiserver import crds
from tests.apiserver.bench import SERVED_NAMES, Bench, bench
from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.load import Load, webhook_metrics
from tests.apiserver.rotation import AUTHORITY, LEASE, SERVING
from tests.certs.world import BUNDLE_DAMAGES, DAMAGES, damaged, damaged_bundle, secret_data

pytestmark = pytest.mark.apiserver

ROTATIONS = int(os.environ.get("MIGRATABLE_ROTATIONS", "3"))
"""Of the leaf and of the authority each; 20 before a version (docs/rotation.md)."""
REPAIR_SECONDS = 10.0


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """The bench, which began with an authority and a leaf that had expired long ago."""
    long_ago = datetime.now(UTC) - timedelta(days=800)
    authority = CertificateAuthority.mint(long_ago)
    folder = tmp_path_factory.mktemp("bench")
    with (
        ControlPlane(crds=crds.OWN) as plane,
        bench(plane, folder, (authority.pair, authority.sign(SERVED_NAMES, long_ago))) as ready,
    ):
        yield ready


def test_what_had_expired_at_the_start_is_valid_within_ten_seconds(running: Bench) -> None:
    """
    An installation that was switched off for two years needs nobody: authority, leaf and every caBundle are renewed.
    """
    assert running.healed_seconds <= REPAIR_SECONDS


def test_rotations_under_load_lose_no_call(running: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    """
    With a new handshake for each of 100 calls a second, no renewal of the leaf or the authority fails a single one.
    """
    before, connected = webhook_metrics(running.plane), running.balancer.connections
    took = []

    with Load(running.plane, rate=100) as load:
        for _ in range(ROTATIONS):
            took.append(running.renew_leaf())
            took.append(running.replace_authority())

    counted, connections = webhook_metrics(running.plane), running.balancer.connections - connected
    counted.subtract(before)
    with capsys.disabled():
        print(f"\n{ROTATIONS} leaf and {ROTATIONS} CA rotations (slowest {max(took):.1f} s): {load.figures()}")
        print(f"the API server counted {dict(counted)}, {connections} connections")
    assert load.failures == {}
    assert counted["failed"] == counted["let through"] == 0
    assert connections >= counted["calls"] >= load.calls > 0


def damage_secret(running: Bench, name: str, kind: str) -> None:
    """Do to a Secret what its kind says."""
    if kind == "deleted":
        assert running.plane.client.api("DELETE", running.installed.secret_path(name)).status == 200
        return
    pair = damaged(kind, running.installed.pair(name), datetime.now(UTC), authority=name == AUTHORITY)
    if kind == "junk":
        pair = KeyPair(pair.certificate[:700_000], pair.key)  # Kubernetes takes no more than 1 MiB
    issuer = None if kind == "empty" else running.installed.data(name).get("ca.crt")
    running.installed.fill(name, secret_data(pair, issuer))


def test_damaged_secrets_are_repaired_and_serving_is_unhurt(running: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Deleted or garbled, one after the other or both at once: within ten seconds they are good, and no call fails.
    """
    took = {}

    with Load(running.plane, rate=20) as load:
        for kind in ("deleted", *DAMAGES):
            for names in ((SERVING,), (AUTHORITY, SERVING)):
                for name in names:
                    damage_secret(running, name, kind)
                took[f"{' and '.join(names)} {kind}"] = running.wait(running.is_well, f"{names} {kind} to be repaired")
        running.wait(running.rests, "everything to rest")

    with capsys.disabled():
        print(f"\n{len(took)} damages of Secrets, slowest repair {max(took.values()):.1f} s: {load.figures()}")
    assert load.failures == {}
    assert {what: seconds for what, seconds in took.items() if seconds > REPAIR_SECONDS} == {}


def test_damaged_bundles_are_repaired(running: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Whatever happens to the caBundles: within ten seconds the API server gets verdicts again, of the leaf as it was.
    """
    leaf = running.installed.pair(SERVING)
    took = {}

    for kind in (*BUNDLE_DAMAGES, "not yet valid"):
        now = datetime.now(UTC)
        at = now + timedelta(days=40) if kind == "not yet valid" else now
        authority = running.installed.pair(AUTHORITY).certificate
        text = damaged_bundle("foreign" if kind == "not yet valid" else kind, authority, at)
        running.installed.publish(text[:100_000])
        took[kind] = running.wait(running.rests, f"a caBundle that is {kind} to be repaired")
        took[kind] += running.wait(running.judges, f"verdicts after a caBundle that is {kind}")

    with capsys.disabled():
        print(f"\n{len(took)} damages of caBundles, slowest repair {max(took.values()):.1f} s")
    assert {what: seconds for what, seconds in took.items() if seconds > REPAIR_SECONDS} == {}
    assert running.installed.pair(SERVING) == leaf


def test_a_leader_that_hangs_or_dies_is_replaced_and_writes_nothing_when_it_wakes(
    running: Bench, tmp_path: Path
) -> None:
    """
    Another rotator takes the Lease over; the sleeper, back in the middle of its work, overwrites none of what was done.
    """
    sleeper, other = running.rotators[0], running.start_rotator(tmp_path)
    running.wait(lambda: bool(other.log.read_text()), "the second rotator to begin")
    before, minted = running.installed.pair(AUTHORITY), sleeper.log.read_text().count("mint:")
    running.installed.fill(AUTHORITY, {})
    running.wait(lambda: sleeper.log.read_text().count("mint:") > minted, "the sleeper to be in the middle of its work")
    os.kill(sleeper.popen.pid, signal.SIGSTOP)
    hung = running.wait(
        lambda: running.installed.pair(AUTHORITY) != before and running.rests(), "the other to end the work"
    )
    done = [running.installed.secret(name)["metadata"]["resourceVersion"] for name in (AUTHORITY, SERVING)]
    os.kill(sleeper.popen.pid, signal.SIGCONT)
    lease = running.installed.connect()
    renewals = {lease.read_lease(LEASE).version}

    def renewed_thrice() -> bool:
        renewals.add(lease.read_lease(LEASE).version)
        return len(renewals) > 3

    running.wait(renewed_thrice, "the Lease's renewals")
    after = [running.installed.secret(name)["metadata"]["resourceVersion"] for name in (AUTHORITY, SERVING)]
    other.end()
    died = running.renew_leaf()

    assert after == done
    assert max(hung, died) <= 20
