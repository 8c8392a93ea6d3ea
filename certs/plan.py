"""
What to do next so that the webhook is always served under an authority that every API server trusts.

mint → publish old and new in every caBundle → wait → sign → wait → retire old. This file does no I/O: it is shown what
stands where, and names one step. Whoever carries the step out looks again and asks again, so a crash between two steps,
a rival, or damage done meanwhile is just another inventory.

A wait ends when a settle time has passed in which the same thing was seen at every look, and nobody who could be asked
said otherwise: an API server about the caBundle it calls by, a replica about the leaf it serves. Time alone would trust
a server that hangs; answers alone would trust that all were asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from certs.authority import AUTHORITY_LIFETIME, LEAF_LIFETIME, MAX_PEM_BYTES, general_names
from certs.bundle import Bundle, TrustedAuthority
from certs.inventory import Inventory, Place

BUNDLE_SETTLE: Final = timedelta(seconds=4)
LEAF_SETTLE: Final = timedelta(minutes=3)
LAGGING_LOOK: Final = timedelta(seconds=10)
"""How long to leave alone a replica that still serves an earlier leaf, before it is asked again."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What is wanted; raises ``ValueError`` for terms that cannot be kept."""

    names: tuple[str, ...]
    """What the leaf serves, exactly."""
    authority_lifetime: timedelta = AUTHORITY_LIFETIME
    leaf_lifetime: timedelta = LEAF_LIFETIME
    bundle_settle: timedelta = BUNDLE_SETTLE
    """How long it takes at most until every API server calls by a new caBundle (they watch it: well under a second)."""
    leaf_settle: timedelta = LEAF_SETTLE
    """How long it takes at most until every replica serves a new leaf: the kubelet's sync (90 s) and its own re-read."""

    def __post_init__(self) -> None:
        general_names(self.names)
        settle = self.bundle_settle + self.leaf_settle
        if min(self.bundle_settle, self.leaf_settle) < timedelta():
            raise ValueError("a settle time cannot be negative")
        if self.leaf_lifetime <= max(3 * settle, timedelta(seconds=2)):
            raise ValueError(f"the leaf must live longer than three times both settle times ({3 * settle})")
        if self.authority_lifetime < self.leaf_lifetime:
            raise ValueError("the authority must live at least as long as the leaf")


@dataclass(frozen=True, slots=True)
class Mint:
    """Replace the authority's pair by a new one; nobody trusts it yet and nothing is signed by it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Publish:
    """Write these caBundles; nothing that is trusted and alive is taken away."""

    bundles: Mapping[Place, Bundle]
    reason: str


@dataclass(frozen=True, slots=True)
class Sign:
    """Replace the served leaf by a new one, signed by the authority."""

    reason: str


@dataclass(frozen=True, slots=True)
class Retire:
    """Write these caBundles, which trust the authority alone."""

    bundles: Mapping[Place, Bundle]
    reason: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing yet, and look again after this time at the latest."""

    remaining: timedelta
    reason: str


@dataclass(frozen=True, slots=True)
class Idle:
    """All is well until then, unless something is damaged."""

    until: datetime
    reason: str = "all is well"


Step: TypeAlias = Mint | Publish | Sign | Retire | Wait | Idle


def plan(inventory: Inventory, now: datetime, terms: Terms) -> Step:
    """Name the next step; the first thing that is wrong, in the order of what it costs to leave it so."""
    return next(_steps(inventory, now, terms))


def _steps(inventory: Inventory, now: datetime, terms: Terms) -> Iterator[Step]:
    authority, serving = inventory.authority, inventory.serving
    trusted = inventory.authority_certificate
    if serving.is_good and inventory.issuer is not None:
        yield from _publish(inventory, now, inventory.issuer, "the authority of the served leaf")
    if trusted is None or not authority.is_good:
        yield Mint(f"the authority cannot sign: {'; '.join(authority.damage)}")
        return
    yield from _publish(inventory, now, trusted, "the authority")
    if not serving.is_good:
        yield from _sign(inventory, now, terms, f"the served leaf is damaged: {'; '.join(serving.damage)}")
    if serving.signed_by != authority.fingerprint:
        yield from _sign(inventory, now, terms, "the served leaf was signed by an earlier authority")
    if authority.is_due(now):
        yield Mint("two thirds of the authority's life are over")
    if serving.is_due(now):
        yield from _sign(inventory, now, terms, "two thirds of the served leaf's life are over")
    yield from _retire(inventory, now, terms, trusted)
    renewals = [one.renew_after for one in (authority, serving) if one.renew_after is not None]
    yield Idle(min(renewals))


def _publish(inventory: Inventory, now: datetime, authority: TrustedAuthority, what: str) -> Iterator[Publish]:
    lacking = [place for place, bundle in inventory.published.items() if authority not in bundle]
    untidy = [place for place, bundle in inventory.published.items() if not bundle.is_tidy]
    if not lacking and not untidy:
        return
    wanted = _wanted(inventory, now, authority)
    reason = f"{what} is missing from {_count(lacking)}" if lacking else f"there is junk in {_count(untidy)}"
    yield Publish(_changes(inventory, wanted), reason)


def _wanted(inventory: Inventory, now: datetime, authority: TrustedAuthority) -> Bundle:
    """Everything that is trusted anywhere, and what must be; only the latter when it grew past what is ever parsed."""
    required = [authority]
    if inventory.issuer is not None:
        required.append(inventory.issuer)
    if inventory.authority.is_good and inventory.authority_certificate is not None:
        required.append(inventory.authority_certificate)
    wanted = Bundle.of(required).union(*inventory.published.values()).without_expired(now, keep=required)
    return wanted if len(wanted.render()) <= MAX_PEM_BYTES else Bundle.of(required)


def _sign(inventory: Inventory, now: datetime, terms: Terms, reason: str) -> Iterator[Sign | Wait]:
    """
    Sign once every API server trusts the authority.

    A replica may still serve an earlier leaf from memory, so damage alone is no cause to hurry; there is one when no
    other authority is trusted, for then nothing that works can break.
    """
    remaining = terms.bundle_settle - inventory.published_for
    if remaining > timedelta() and _others_valid(inventory, now):
        yield Wait(remaining, f"until every API server has seen the authority; then sign, for {reason}")
    else:
        yield Sign(reason)


def _retire(inventory: Inventory, now: datetime, terms: Terms, authority: TrustedAuthority) -> Iterator[Retire | Wait]:
    alone = Bundle.of([authority])
    changes = _changes(inventory, alone)
    if not changes:
        return
    remaining = terms.leaf_settle - inventory.served_for
    if remaining > timedelta() and _others_valid(inventory, now):
        yield Wait(remaining, "until every replica serves the new leaf; then retire the earlier authorities")
    elif inventory.lagging:
        yield Wait(LAGGING_LOOK, f"until a new leaf is served at {', '.join(inventory.lagging)}, where it is not yet")
    else:
        yield Retire(changes, "every replica serves a leaf of the authority, so earlier ones are trusted no more")


def _others_valid(inventory: Inventory, now: datetime) -> bool:
    return any(one.is_valid(now) for one in inventory.others)


def _changes(inventory: Inventory, wanted: Bundle) -> dict[Place, Bundle]:
    return {place: wanted for place, bundle in sorted(inventory.published.items()) if bundle != wanted}


def _count(places: list[Place]) -> str:
    first, *others = sorted(places)
    return f"{first} and {len(others)} more" if others else str(first)
