"""Rotation of certificates under load: a real API server, two serving processes and a real rotator."""

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


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """The bench. At its start, the authority and the leaf have expired long ago."""
    long_ago = datetime.now(UTC) - timedelta(days=800)
    authority = CertificateAuthority.mint(long_ago)
    folder = tmp_path_factory.mktemp("bench")
    with (
        ControlPlane(crds=crds.OWN) as plane,
        bench(plane, folder, (authority.pair, authority.sign(SERVED_NAMES, long_ago))) as ready,
    ):
        yield ready


def test_certificates_that_expired_before_the_start_are_renewed(
    running: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    An installation that was off for two years needs no manual step: authority, leaf and every caBundle are renewed.
    """
    with capsys.disabled():
        print(f"\nfirst verdict after {running.healed_seconds:.1f} s")
    assert running.judges()


def test_rotations_under_load_fail_no_call(running: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Each of 100 calls a second makes a new handshake. No renewal of the leaf or the authority fails a call.
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
    """Deletes or damages a Secret."""
    if kind == "deleted":
        assert running.plane.client.api("DELETE", running.installed.secret_path(name)).status == 200
        return
    pair = damaged(kind, running.installed.pair(name), datetime.now(UTC), authority=name == AUTHORITY)
    if kind == "junk":
        pair = KeyPair(pair.certificate[:700_000], pair.key)  # Kubernetes takes no more than 1 MiB
    issuer = None if kind == "empty" else running.installed.data(name).get("ca.crt")
    running.installed.fill(name, secret_data(pair, issuer))


def test_damaged_secrets_are_repaired_and_no_call_fails(running: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Secrets are deleted or garbled, one or both at once. The rotator repairs each damage.
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


def test_damaged_bundles_are_repaired(running: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    """
    After each damage of the caBundles the API server gets verdicts again, from the same leaf.
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
    assert running.installed.pair(SERVING) == leaf


def test_a_leader_that_hangs_or_dies_is_replaced_and_then_writes_nothing(
    running: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Another rotator takes over the Lease. The stopped one continues in the middle of its work and overwrites nothing.
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

    with capsys.disabled():
        print(f"\nreplaced {hung:.1f} s after the leader hung, renewed {died:.1f} s after the other one died")
    assert after == done
