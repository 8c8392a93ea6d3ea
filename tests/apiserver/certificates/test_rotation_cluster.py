"""certs.apiserver: the calls of the rotator to a real API server, with an account that has no other rights."""

import copy
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from certs.apiserver import connect
from certs.clock import ServerClock, SystemClock
from certs.cluster import ConfigurationName, Conflict, Missing, Refused
from certs.inspection import inspect_authority, inspect_leaf
from certs.lease import LeaderElection
from certs.plan import Idle
from certs.rotator import Rotator
from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.rotation import ADMISSION, AUTHORITY, LEASE, SERVING, Installation, install
from tests.certs.world import authority_of
from tests.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.apiserver

Json = dict[str, Any]


def configuration(resource: str, name: str, *hooks: str) -> Json:
    """A webhook configuration that matches nothing, with labels and settings that must stay as they are."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": {"validatingwebhookconfigurations": "ValidatingWebhookConfiguration"}.get(
            resource, "MutatingWebhookConfiguration"
        ),
        "metadata": {"name": name, "labels": {"kept": "yes"}, "annotations": {"kept": "too"}},
        "webhooks": [
            {
                "name": hook,
                "clientConfig": {"service": {"name": "migratable", "namespace": "nowhere", "path": "/validate"}},
                "rules": [
                    {"apiGroups": ["none.example"], "apiVersions": ["v1"], "resources": ["x"], "operations": ["CREATE"]}
                ],
                "failurePolicy": "Ignore",
                "matchConditions": [{"name": "never", "expression": "false"}],
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "timeoutSeconds": 3,
            }
            for hook in hooks
        ],
    }


def prepare(plane: ControlPlane, namespace: str, **rights: Any) -> Installation:
    """Install what a rotator looks after, with two configurations of three webhooks."""
    wanted = {
        ConfigurationName("validatingwebhookconfigurations", namespace): ("one.example.org", "two.example.org"),
        ConfigurationName("mutatingwebhookconfigurations", namespace): ("three.example.org",),
    }
    for name, hooks in wanted.items():
        plane.client.create(f"{ADMISSION}/{name.resource}", configuration(name.resource, name.name, *hooks))
    return install(plane, namespace, tuple(wanted), **rights)


@pytest.fixture
def installed(control_plane: ControlPlane, namespace: str) -> Installation:
    """A namespace with what a rotator needs."""
    return prepare(control_plane, namespace)


def is_well(installed: Installation, now: datetime | None = None) -> bool:
    """Whether both pairs are good and belong together, and every caBundle trusts the authority alone."""
    now = now or datetime.now(UTC)
    authority, leaf = installed.pair(AUTHORITY), installed.pair(SERVING)
    names = installed.settings().terms.names
    return (
        inspect_authority(authority, now).is_good
        and inspect_leaf(leaf, now, names, (authority_of(authority),)).is_good
        and set(installed.bundles()) == {authority.certificate}
    )


def test_the_first_round_fills_empty_secrets_and_bundles(installed: Installation) -> None:
    """
    The account has the rights of the rotator and no others. Labels and types of the Secrets stay as they were.
    """
    Rotator(installed.connect(), installed.settings(), installed.connect().clock).round()

    assert is_well(installed)
    assert set(installed.data(SERVING)) == {"tls.crt", "tls.key", "ca.crt"}
    for name in (AUTHORITY, SERVING):
        stored = installed.secret(name)
        assert stored["metadata"]["labels"] == {"app.kubernetes.io/component": "rotator"}
        assert stored["type"] == "Opaque"


def test_the_rotator_writes_only_the_bundle_of_a_webhook(installed: Installation) -> None:
    """
    Rules, conditions, order and labels of every webhook stay as the installation wrote them.
    """
    before = [installed.configuration(name) for name in installed.configurations]

    Rotator(installed.connect(), installed.settings(), installed.connect().clock).round()

    after = [installed.configuration(name) for name in installed.configurations]
    assert all(hook["clientConfig"]["caBundle"] for one in after for hook in one["webhooks"])
    assert [without_bundle(one) for one in after] == [without_bundle(one) for one in before]
    writers = [{managedfield["manager"] for managedfield in one["metadata"]["managedFields"]} for one in after]
    assert all("migratable-rotator" in writer for writer in writers)


def without_bundle(document: Json) -> Json:
    document = copy.deepcopy(document)
    for changing in ("resourceVersion", "generation", "managedFields"):
        document["metadata"].pop(changing, None)
    for hook in document["webhooks"]:
        hook["clientConfig"].pop("caBundle", None)
    return document


def test_a_write_over_an_unread_version_conflicts(installed: Installation) -> None:
    """
    The API server compares the version that was read, for Secrets, caBundles and the Lease. Nothing is written.
    """
    cluster = installed.connect()
    secret, lease = cluster.read_secret(SERVING), cluster.read_lease(LEASE)
    stored = cluster.read_configuration(installed.configurations[0])
    assert stored is not None
    cluster.write_secret(secret, {"tls.crt": b"first"})
    cluster.write_bundles(stored, {"one.example.org": b"first"})
    cluster.write_lease(lease, "first", timedelta(seconds=15))

    with pytest.raises(Conflict):
        cluster.write_secret(secret, {"tls.crt": b"second"})
    with pytest.raises(Conflict):
        cluster.write_bundles(stored, {"one.example.org": b"second"})
    with pytest.raises(Conflict):
        cluster.write_lease(lease, "second", timedelta(seconds=15))

    assert installed.data(SERVING) == {"tls.crt": b"first"}
    assert installed.bundles() == [b"first", b"", b""]
    assert cluster.read_lease(LEASE).holder == "first"


def test_deleted_secrets_are_created_again(installed: Installation) -> None:
    """
    The rotator applies the Secret by name with server-side apply. It neither needs nor has the right to create any
    other Secret.
    """
    rotator = Rotator(installed.connect(), installed.settings(), installed.connect().clock)
    rotator.round()
    for name in (AUTHORITY, SERVING):
        assert installed.plane.client.api("DELETE", installed.secret_path(name)).status == 200

    wait_until(lambda: [rotator.round(), is_well(installed)][-1], PATIENCE_SECONDS, "everything to be well again")

    other = installed.connect().read_secret(AUTHORITY)
    with pytest.raises(Refused):
        installed.connect().read_secret("another")
    with pytest.raises(Missing):
        installed.connect().write_secret(type(other)("another"), {"tls.crt": b"x"})


def test_creating_a_secret_that_exists_meanwhile_changes_nothing(installed: Installation) -> None:
    """
    An object that was not read is not written, even if it was missing when it was read.
    """
    cluster = installed.connect()
    installed.plane.client.api("DELETE", installed.secret_path(SERVING))
    missing = cluster.read_secret(SERVING)
    with pytest.raises(Conflict):
        cluster.write_secret(missing, {})
    cluster.write_secret(cluster.read_secret(SERVING), {"tls.crt": b"of a rival"})

    with pytest.raises(Conflict):
        cluster.write_secret(missing, {"tls.crt": b"ours"})

    assert installed.data(SERVING) == {"tls.crt": b"of a rival"}


def test_a_missing_right_to_create_secrets_is_reported(control_plane: ControlPlane, namespace: str) -> None:
    """
    The message names the missing Secret and the remedy.
    """
    installed = prepare(control_plane, namespace, secret_verbs=("get", "update"))
    installed.plane.client.api("DELETE", installed.secret_path(AUTHORITY))

    with pytest.raises(Missing) as raised:
        Rotator(installed.connect(), installed.settings(), installed.connect().clock).round()

    assert str(raised.value) == (
        f"Secret {namespace}/{AUTHORITY} does not exist, and the rotator may not create it. "
        "Apply the installation again, or grant the rotator the rights to create and patch this Secret."
    )


def test_a_configuration_is_published_once_the_api_server_uses_it(installed: Installation) -> None:
    """
    A generation that is older than that of the API server is not published, nor is a deleted configuration.
    """
    cluster = installed.connect()
    name = installed.configurations[0]
    old = cluster.read_configuration(name)
    assert old is not None
    cluster.write_bundles(old, {"one.example.org": b"new"})
    new = cluster.read_configuration(name)
    assert new is not None

    wait_until(lambda: cluster.has_spread(new), PATIENCE_SECONDS, "the watch cache to follow")
    assert not cluster.has_spread(old)
    installed.plane.client.api("DELETE", f"{ADMISSION}/{name.resource}/{name.name}")
    wait_until(lambda: not cluster.has_spread(new), PATIENCE_SECONDS, "the watch cache to follow the deletion")


def test_an_api_server_without_etcd_returns_the_configuration_that_it_uses(installed: Installation) -> None:
    """
    Without etcd the API server still returns its cache, which it also uses to call webhooks.
    """
    cluster = installed.connect()
    stored = cluster.read_configuration(installed.configurations[0])
    assert stored is not None
    wait_until(lambda: cluster.has_spread(stored), PATIENCE_SECONDS, "the watch cache to follow")

    with installed.plane.stopped("etcd"):
        has_spread = cluster.has_spread(stored)

    assert has_spread


def test_a_new_label_does_not_delay_publication(installed: Installation) -> None:
    """
    Only the specification counts. Otherwise, a tool that labels every object would delay a rotation.
    """
    cluster = installed.connect()
    name = installed.configurations[0]
    before = cluster.read_configuration(name)

    document = installed.configuration(name)
    document["metadata"]["labels"]["more"] = "labels"
    assert installed.plane.client.api("PUT", f"{ADMISSION}/{name.resource}/{name.name}", document).status == 200
    after = cluster.read_configuration(name)

    assert before is not None
    assert after is not None
    assert (after.generation, after.bundles) == (before.generation, before.bundles)
    assert after.version != before.version


def test_the_account_that_weakens_a_webhook_is_logged(
    installed: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    """
    The log names the field manager that the API server recorded, the webhook and the field. Writes of the rotator are
    not logged.
    """
    cluster = installed.connect()
    rotator = Rotator(cluster, installed.settings(), cluster.clock)
    name = installed.configurations[0]
    with caplog.at_level(logging.WARNING, "certs"):
        rotator.round()
        patch = '[{"op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Fail"}]'
        installed.plane.client.kubectl("patch", name.resource, name.name, "--type=json", "-p", patch)
        rotator.round()

    assert [record.getMessage() for record in caplog.records] == [
        f"{name} was changed by kubectl-patch: webhook one.example.org has changes in failurePolicy"
    ]


def test_a_lease_passes_from_one_rotator_to_the_next(installed: Installation) -> None:
    """
    kubectl can read the Lease: its holder, its times, its duration and the number of transitions.
    """
    first, second = (
        LeaderElection(installed.connect(), LEASE, name, installed.connect().clock, timedelta(seconds=1))
        for name in ("first", "second")
    )
    assert first.is_leader()
    assert not second.is_leader()
    taken = installed.plane.client.kubectl(
        *("get", "lease", LEASE, "-n", installed.namespace, "-o"),
        "jsonpath={.spec.holderIdentity} {.spec.leaseDurationSeconds} {.spec.leaseTransitions} {.spec.renewTime}",
    ).stdout.split()
    wait_until(second.is_leader, PATIENCE_SECONDS, "the Lease to run out")
    first.release()
    second.release()

    assert taken[:3] == ["first", "1", "1"]
    assert abs(datetime.fromisoformat(taken[3]) - datetime.now(UTC)) < timedelta(minutes=1)
    assert installed.connect().read_lease(LEASE).holder == ""


def test_an_error_of_the_api_server_is_reported_without_the_body(installed: Installation) -> None:
    """
    An error names method, path and status. It never contains the body, which may hold keys.
    """
    cluster = installed.connect()
    secret = cluster.read_secret(SERVING)

    with pytest.raises(Refused) as too_large:
        cluster.write_secret(secret, {"tls.key": b"CANARY" * 200_000})
    with pytest.raises(Refused) as forbidden:
        cluster.read_lease("another")
    with installed.plane.stopped(), pytest.raises(Refused) as away:
        cluster.read_secret(SERVING)

    path = f"/api/v1/namespaces/{installed.namespace}/secrets/{SERVING}"
    assert f"PUT {path}: the API server responded with 422" in str(too_large.value)
    assert "the API server responded with 403" in str(forbidden.value)
    assert str(away.value).startswith(f"GET {path}: no response (")
    assert "CANARY" not in repr(too_large.value)
    assert cluster.read_secret(SERVING) == secret


def test_the_clock_of_the_api_server_is_read(installed: Installation) -> None:
    """
    Each response contains the time, which is that of this computer.
    """
    cluster = installed.connect()

    cluster.read_secret(SERVING)

    assert cluster.clock._server_time is not None
    assert abs(cluster.clock.now() - datetime.now(UTC)) < timedelta(minutes=5)


class ShiftedClock(SystemClock):
    """This machine's clock, set wrong."""

    shift = timedelta()

    def now(self) -> datetime:
        return super().now() + self.shift


@pytest.mark.parametrize("jump", [timedelta(days=400), timedelta(days=-1)])
def test_a_jump_of_the_clock_is_repaired_in_both_directions(
    installed: Installation, jump: timedelta, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    After each jump, certificates that are valid at the new time are stored and trusted.
    """
    clock = ShiftedClock()
    rotator = Rotator(installed.connect(), installed.settings(), clock)
    rotator.round()
    took, spoiled = [], []

    for shift in (jump, timedelta()):
        clock.shift = shift
        spoiled.append(not is_well(installed, clock.now()))
        began = clock.monotonic()
        wait_until(
            lambda: [rotator.round(), is_well(installed, clock.now())][-1], PATIENCE_SECONDS, "valid certificates"
        )
        took.append(clock.monotonic() - began)

    with capsys.disabled():
        print(f"\nclock jump of {jump}: slowest repair {max(took):.1f} s")
    assert spoiled == [True, jump > timedelta()]  # certificates from yesterday are valid today


def test_a_rotator_whose_own_clock_is_wrong_replaces_nothing(installed: Installation) -> None:
    """
    The API server's hour counts: a node that is a year ahead leaves good certificates alone.
    """
    Rotator(installed.connect(), installed.settings(), installed.connect().clock).round()
    before = installed.pair(AUTHORITY), installed.pair(SERVING)
    cluster = installed.connect()
    ahead = ShiftedClock()
    ahead.shift = timedelta(days=400)
    cluster.clock = ServerClock(ahead)

    Rotator(cluster, installed.settings(), cluster.clock).round()

    assert (installed.pair(AUTHORITY), installed.pair(SERVING)) == before
    assert is_well(installed)


def test_missing_credentials_are_reported() -> None:
    """
    Outside a pod a kubeconfig is needed.
    """
    with pytest.raises(Refused, match="no usable credentials"):
        connect("anywhere")
    with pytest.raises(Refused, match="no usable credentials"):
        connect("anywhere", "/nonexistent/kubeconfig")


def test_an_idle_rotator_changes_no_object(installed: Installation) -> None:
    """
    All certificates are good, so no resourceVersion changes and no watch gets an event.
    """
    rotator = Rotator(installed.connect(), installed.settings(), installed.connect().clock)
    rotator.round()
    before = [installed.secret(AUTHORITY), installed.secret(SERVING), installed.bundles()]

    steps = [rotator.step() for _ in range(2)]

    assert all(isinstance(step, Idle) for step in steps)
    assert [installed.secret(AUTHORITY), installed.secret(SERVING), installed.bundles()] == before
