"""certs.plan: one step at a time, in an order in which no valid handshake fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from certs.authority import CertificateAuthority, KeyPair
from certs.bundle import Bundle
from certs.inventory import Inventory, Place, find_lagging, take_inventory
from certs.plan import (
    LAGGING_INTERVAL,
    Idle,
    Mint,
    Publish,
    Retire,
    Sign,
    Step,
    Wait,
    plan,
)
from tests.certs.world import NAMES, NOW, TERMS, authority_of, damaged_bundle

HERE = Place("validatingwebhookconfigurations", "migratable", "validate.migratable.io")
THERE = Place("mutatingwebhookconfigurations", "migratable", "default.migratable.io")
DAY, SECOND, NEVER = timedelta(days=1), timedelta(seconds=1), timedelta()
LONG = timedelta(hours=1)
NOTHING = KeyPair(b"", b"")
OLD, NEW = CertificateAuthority.mint(NOW - 250 * DAY), CertificateAuthority.mint(NOW)
SPARE = CertificateAuthority.mint(NOW)
OLD_CA, NEW_CA = authority_of(OLD.pair), authority_of(NEW.pair)
EXPIRED = CertificateAuthority.mint(NOW - 500 * DAY)


def stock(
    authority: KeyPair = NEW.pair,
    leaf: KeyPair = NOTHING,
    trusts: tuple[CertificateAuthority, ...] = (),
    *,
    issuer: bytes = b"",
    there: bytes | None = None,
    seen: timedelta = LONG,
    now: datetime = NOW,
) -> Inventory:
    """Take stock of a cluster with two caBundles that trust the same."""
    text = b"".join(one.pair.certificate for one in trusts)
    published: Mapping[Place, bytes] = {HERE: text, THERE: text if there is None else there}
    inventory = take_inventory(authority, leaf, issuer, published, NAMES, now)
    return replace(inventory, published_for=seen, served_for=seen)


def leaf_of(authority: CertificateAuthority, at: datetime = NOW) -> KeyPair:
    return authority.sign(NAMES, at, 7 * DAY)


def bundles(step: Step) -> Mapping[Place, Bundle]:
    assert isinstance(step, Publish | Retire)
    return step.bundles


def test_an_authority_is_created_first() -> None:
    """
    Nothing can be signed or published before there is an authority.
    """
    step = plan(stock(NOTHING), NOW, TERMS)

    assert step == Mint("the CA cannot sign: the certificate is missing")


def test_a_new_authority_is_published_beside_the_old() -> None:
    """
    Before it signs anything, the new authority is in every caBundle, and the old one stays.
    """
    step = plan(stock(leaf=leaf_of(OLD), trusts=(OLD,)), NOW, TERMS)

    both = Bundle.of([OLD_CA, NEW_CA])
    assert bundles(step) == {HERE: both, THERE: both}


def test_only_a_bundle_that_lacks_something_is_written() -> None:
    """
    A second configuration that was restored from a chart is filled again; the first is left alone.
    """
    step = plan(stock(leaf=leaf_of(NEW), trusts=(NEW,), there=b""), NOW, TERMS)

    assert bundles(step) == {THERE: Bundle.of([NEW_CA])}


def test_signing_waits_until_every_api_server_trusts_the_authority() -> None:
    """
    A leaf of an authority that some API server does not yet trust would be refused there.
    """
    step = plan(stock(leaf=leaf_of(OLD), trusts=(OLD, NEW), seen=timedelta(seconds=1)), NOW, TERMS)

    assert isinstance(step, Wait)
    assert step.remaining == TERMS.bundle_settle - timedelta(seconds=1)


def test_a_leaf_is_signed_after_the_settle_time() -> None:
    """
    Once the authority is known everywhere, the leaf of the old one is replaced, however young it is.
    """
    step = plan(stock(leaf=leaf_of(OLD), trusts=(OLD, NEW)), NOW, TERMS)

    assert step == Sign("the served leaf is signed by an old CA")


def test_retiring_waits_until_every_replica_serves_the_new_leaf() -> None:
    """
    A replica that still serves the old leaf needs the old authority.
    """
    step = plan(stock(leaf=leaf_of(NEW), trusts=(OLD, NEW), seen=timedelta(minutes=1)), NOW, TERMS)

    assert isinstance(step, Wait)
    assert step.remaining == TERMS.leaf_settle - timedelta(minutes=1)


def test_retiring_waits_for_a_late_replica() -> None:
    """
    However long the settle time is over, a replica that was seen to serve the old leaf needs the old authority.
    """
    inventory = replace(stock(leaf=leaf_of(NEW), trusts=(OLD, NEW)), lagging=("10.0.0.7", "10.0.0.9"))

    step = plan(inventory, NOW, TERMS)

    assert step == Wait(LAGGING_INTERVAL, "until the new leaf is served at 10.0.0.7, 10.0.0.9")


def test_a_replica_is_late_if_it_serves_a_valid_leaf_of_an_old_authority() -> None:
    """
    Leaves of the authority, of strangers, of the past and of the future, and what is no certificate, hold nothing up.
    """
    inventory = stock(leaf=leaf_of(NEW), trusts=(OLD, NEW))
    stranger = CertificateAuthority.mint(NOW)
    served = {
        "new": leaf_of(NEW),
        "old": leaf_of(OLD),
        "stranger": leaf_of(stranger),
        "expired": leaf_of(OLD, NOW - 8 * DAY),
        "future": leaf_of(OLD, NOW + DAY),
        "junk": KeyPair(b"junk", b""),
    }

    lagging = find_lagging({name: pair.certificate for name, pair in served.items()}, inventory, NOW)

    assert lagging == ("old",)


def test_the_old_authority_is_retired_after_the_settle_time() -> None:
    """
    In the end, and only there, an authority that is alive is taken out of every caBundle.
    """
    step = plan(stock(leaf=leaf_of(NEW), trusts=(OLD, NEW)), NOW, TERMS)

    assert isinstance(step, Retire)
    assert bundles(step) == {HERE: Bundle.of([NEW_CA]), THERE: Bundle.of([NEW_CA])}


def test_the_plan_is_idle_until_the_first_renewal() -> None:
    """
    All is well until two thirds of the leaf's life are over.
    """
    step = plan(stock(leaf=leaf_of(NEW), trusts=(NEW,)), NOW, TERMS)

    assert step == Idle(NOW + 7 * DAY * 2 / 3)


def test_a_due_leaf_is_signed_anew_by_the_same_authority() -> None:
    """
    An ordinary renewal touches neither authority nor caBundle.
    """
    step = plan(stock(leaf=leaf_of(NEW, NOW - 5 * DAY), trusts=(NEW,)), NOW, TERMS)

    assert step == Sign("the served leaf is due for renewal")


def test_a_due_authority_is_replaced_while_it_is_valid() -> None:
    """
    Rotation begins at two thirds of the authority's life.
    """
    step = plan(stock(OLD.pair, leaf_of(OLD), (OLD,)), NOW, TERMS)

    assert step == Mint("the CA is due for renewal")


def test_a_damaged_leaf_is_replaced_before_a_due_authority() -> None:
    """
    An authority that is due can still sign, which is the shorter way to a good leaf.
    """
    step = plan(stock(OLD.pair, NOTHING, (OLD,), seen=timedelta()), NOW, TERMS)

    assert step == Sign("the served leaf is invalid: the certificate is missing")


def test_a_bundle_without_the_authority_of_the_served_leaf_is_repaired_first() -> None:
    """
    With the authority's Secret and every caBundle lost, the ``ca.crt`` beside the leaf restores the trust in it.
    """
    step = plan(stock(NOTHING, leaf_of(OLD), issuer=OLD.pair.certificate), NOW, TERMS)

    assert bundles(step) == {HERE: Bundle.of([OLD_CA]), THERE: Bundle.of([OLD_CA])}


def test_a_repair_of_a_bundle_also_publishes_the_new_authority() -> None:
    """
    One write does for both, and neither is left out.
    """
    step = plan(stock(NEW.pair, leaf_of(OLD), issuer=OLD.pair.certificate), NOW, TERMS)

    both = Bundle.of([OLD_CA, NEW_CA])
    assert bundles(step) == {HERE: both, THERE: both}


def test_an_expired_authority_of_the_served_leaf_is_kept() -> None:
    """
    If our clock alone has jumped, the API servers still trust it; it goes when nothing depends on it any more.
    """
    step = plan(stock(leaf=leaf_of(OLD), trusts=(OLD, EXPIRED), now=NOW + 200 * DAY), NOW + 200 * DAY, TERMS)

    assert bundles(step)[HERE] == Bundle.of([OLD_CA, NEW_CA])


def test_signing_does_not_wait_without_another_valid_authority() -> None:
    """
    When every other trusted authority is expired, each second of waiting is one of outage.
    """
    inventory = stock(leaf=leaf_of(EXPIRED, NOW - 500 * DAY), trusts=(EXPIRED, NEW), seen=timedelta())

    step = plan(inventory, NOW, TERMS)

    assert isinstance(step, Sign)


def test_expired_authorities_are_retired_at_once() -> None:
    """
    No replica depends on an authority that API servers do not trust.
    """
    step = plan(stock(leaf=leaf_of(NEW), trusts=(EXPIRED, NEW), seen=timedelta()), NOW, TERMS)

    assert isinstance(step, Retire)


def test_invalid_content_of_a_bundle_is_removed() -> None:
    """
    Text beside authorities in a caBundle is removed, although API servers would skip it.
    """
    text = NEW.pair.certificate

    step = plan(stock(leaf=leaf_of(NEW), trusts=(NEW,), there=text + b"# note\n"), NOW, TERMS)

    assert step == Publish({THERE: Bundle.of([NEW_CA])}, f"invalid content in {THERE}")


def test_a_bundle_never_exceeds_the_parse_limit() -> None:
    """
    Foreign authorities that fill a caBundle do not push our own over 64 KiB, where it would be read as junk.
    """
    stuffed = damaged_bundle("stuffed", b"", NOW)
    assert len(Bundle.parse(stuffed).authorities) > 90

    step = plan(stock(leaf=leaf_of(OLD), there=stuffed, issuer=OLD.pair.certificate), NOW, TERMS)

    assert bundles(step)[THERE] == Bundle.of([OLD_CA, NEW_CA])


def test_the_pair_is_maintained_without_webhook_configurations() -> None:
    """
    After the emergency stop, the certificates stay valid.
    """
    inventory = take_inventory(NEW.pair, NOTHING, b"", {}, NAMES, NOW)

    assert isinstance(plan(inventory, NOW, TERMS), Sign)


def test_the_authority_of_a_damaged_leaf_is_not_published_again() -> None:
    """
    A leaf that cannot be served needs no trust, so its authority stays out of the caBundles.
    """
    inventory = stock(leaf=leaf_of(OLD, NOW - 8 * DAY), trusts=(NEW,), issuer=OLD.pair.certificate)

    assert plan(inventory, NOW, TERMS) == Sign("the served leaf is invalid: expired")


def test_an_authority_that_cannot_sign_is_not_published() -> None:
    """
    An authority without its key cannot sign, so a repaired caBundle does not contain it.
    """
    keyless = KeyPair(NEW.pair.certificate, b"")

    step = plan(stock(keyless, leaf_of(OLD), issuer=OLD.pair.certificate), NOW, TERMS)

    assert bundles(step) == {HERE: Bundle.of([OLD_CA]), THERE: Bundle.of([OLD_CA])}


def test_a_step_names_the_first_place_and_counts_the_others() -> None:
    """
    The reason of a write says what is missing, and where.
    """
    step = plan(stock(), NOW, TERMS)

    assert isinstance(step, Publish)
    assert step.reason == f"the CA is missing from {THERE} and 1 more"


def test_a_wait_ends_exactly_after_the_settle_time() -> None:
    """
    When exactly the settle time has passed, the next step follows.
    """
    leaf = leaf_of(OLD)
    signing = stock(leaf=leaf, trusts=(OLD, NEW), seen=TERMS.bundle_settle)
    retiring = stock(leaf=leaf_of(NEW), trusts=(OLD, NEW), seen=TERMS.leaf_settle)

    assert isinstance(plan(signing, NOW, TERMS), Sign)
    assert isinstance(plan(retiring, NOW, TERMS), Retire)


def test_places_are_written_in_their_order() -> None:
    """
    Rotators write in the same order, whatever order they read in, so that one of two racing ones loses at once.
    """
    inventory = stock()

    step = plan(replace(inventory, published=dict(reversed(inventory.published.items()))), NOW, TERMS)

    assert [*bundles(step)] == [*bundles(plan(inventory, NOW, TERMS))] == sorted([HERE, THERE])


def test_a_bundle_of_exactly_the_parse_limit_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The limit of 64 KiB is the largest text that is parsed, so a bundle may have it.
    """
    all_three = Bundle.of([OLD_CA, NEW_CA, authority_of(SPARE.pair)])
    inventory = stock(leaf=leaf_of(OLD), trusts=(SPARE,), issuer=OLD.pair.certificate)

    monkeypatch.setattr("certs.plan.MAX_PEM_BYTES", len(all_three.render()))
    assert bundles(plan(inventory, NOW, TERMS))[HERE] == all_three
    monkeypatch.setattr("certs.plan.MAX_PEM_BYTES", len(all_three.render()) - 1)
    assert bundles(plan(inventory, NOW, TERMS))[HERE] == Bundle.of([OLD_CA, NEW_CA])
