"""
Plans the next step of a rotation. Every API server always trusts the CA of the served leaf.

mint → publish old and new in every caBundle → wait → sign → wait → retire old. This module does no I/O. The function ``plan``
derives one step from an inventory. After each step the caller reads a new inventory. A crash between two steps, a concurrent
rotator or a damaged object therefore leads only to a different inventory.

A wait ends when two conditions hold. First, every check during the settle time had the same result. Second, no API server that
responds has an older caBundle, and no replica that responds serves an older leaf. The settle time alone cannot detect a process
that hangs, and the responses alone cannot show that all processes were reached.
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
LAGGING_INTERVAL: Final = timedelta(seconds=10)
"""Time until a replica that still serves an older leaf is checked again."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The names and durations that a rotation uses. Raises ``ValueError`` for values with which no rotation can succeed."""

    names: tuple[str, ...]
    """The exact names in the leaf."""
    authority_lifetime: timedelta = AUTHORITY_LIFETIME
    leaf_lifetime: timedelta = LEAF_LIFETIME
    bundle_settle: timedelta = BUNDLE_SETTLE
    """Time after which every API server uses a new caBundle. API servers watch it, so they usually need milliseconds."""
    leaf_settle: timedelta = LEAF_SETTLE
    """Time after which every replica serves a new leaf: the kubelet's sync (90 s) and the server's own check."""

    def __post_init__(self) -> None:
        general_names(self.names)
        settle = self.bundle_settle + self.leaf_settle
        if min(self.bundle_settle, self.leaf_settle) < timedelta():
            raise ValueError("a settle time must not be negative")
        if self.leaf_lifetime <= max(3 * settle, timedelta(seconds=2)):
            raise ValueError(f"the leaf lifetime must be longer than three times both settle times ({3 * settle})")
        if self.authority_lifetime < self.leaf_lifetime:
            raise ValueError("the CA lifetime must not be shorter than the leaf lifetime")


@dataclass(frozen=True, slots=True)
class Mint:
    """Create a new CA. API servers do not trust the new CA yet, and the CA has not signed any certificate."""

    reason: str


@dataclass(frozen=True, slots=True)
class Publish:
    """Write these caBundles, which keep all trusted CAs that are not expired."""

    bundles: Mapping[Place, Bundle]
    reason: str


@dataclass(frozen=True, slots=True)
class Sign:
    """Replace the leaf with a new leaf that the CA signs."""

    reason: str


@dataclass(frozen=True, slots=True)
class Retire:
    """Write these caBundles, which contain only the current CA."""

    bundles: Mapping[Place, Bundle]
    reason: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing, and check again when the remaining time has passed, or earlier."""

    remaining: timedelta
    reason: str


@dataclass(frozen=True, slots=True)
class Idle:
    """No step is due until this date, unless a certificate or caBundle becomes damaged."""

    until: datetime
    reason: str = "all certificates are valid"


Step: TypeAlias = Mint | Publish | Sign | Retire | Wait | Idle


def plan(inventory: Inventory, now: datetime, terms: Terms) -> Step:
    """Returns the next step. If there are several defects, the step repairs the most harmful one."""
    return next(_steps(inventory, now, terms))


def _steps(inventory: Inventory, now: datetime, terms: Terms) -> Iterator[Step]:
    authority, serving = inventory.authority, inventory.serving
    trusted = inventory.authority_certificate
    if serving.is_good and inventory.issuer is not None:
        yield from _publish(inventory, now, inventory.issuer, "the CA of the served leaf")
    if trusted is None or not authority.is_good:
        yield Mint(f"the CA cannot sign: {'; '.join(authority.damage)}")
        return
    yield from _publish(inventory, now, trusted, "the CA")
    if not serving.is_good:
        yield from _sign(inventory, now, terms, f"the served leaf is invalid: {'; '.join(serving.damage)}")
    if serving.signed_by != authority.fingerprint:
        yield from _sign(inventory, now, terms, "the served leaf is signed by an old CA")
    if authority.is_due(now):
        yield Mint("the CA is due for renewal")
    if serving.is_due(now):
        yield from _sign(inventory, now, terms, "the served leaf is due for renewal")
    yield from _retire(inventory, now, terms, trusted)
    renewals = [pair.renew_after for pair in (authority, serving) if pair.renew_after is not None]
    yield Idle(min(renewals))


def _publish(inventory: Inventory, now: datetime, authority: TrustedAuthority, subject: str) -> Iterator[Publish]:
    lacking = [place for place, bundle in inventory.published.items() if authority not in bundle]
    invalid = [place for place, bundle in inventory.published.items() if not bundle.is_canonical]
    if not lacking and not invalid:
        return
    wanted = _wanted(inventory, now, authority)
    reason = f"{subject} is missing from {_count(lacking)}" if lacking else f"invalid content in {_count(invalid)}"
    yield Publish(_changes(inventory, wanted), reason)


def _wanted(inventory: Inventory, now: datetime, authority: TrustedAuthority) -> Bundle:
    """
    Returns all CAs in the caBundles, and the required CAs. Returns only the required CAs if all CAs together would exceed the
    parse limit.
    """
    required = [authority]
    if inventory.issuer is not None:
        required.append(inventory.issuer)
    if inventory.authority.is_good and inventory.authority_certificate is not None:
        required.append(inventory.authority_certificate)
    wanted = Bundle.of(required).union(*inventory.published.values()).without_expired(now, keep=required)
    return wanted if len(wanted.render()) <= MAX_PEM_BYTES else Bundle.of(required)


def _sign(inventory: Inventory, now: datetime, terms: Terms, reason: str) -> Iterator[Sign | Wait]:
    """
    Plans to sign the leaf after every API server trusts the CA.

    Waits even if the stored leaf is invalid, because a replica can still serve an older leaf from memory. Signs immediately if
    no other CA is valid, because API servers accept no served leaf in that case.
    """
    remaining = terms.bundle_settle - inventory.published_for
    if remaining > timedelta() and _others_valid(inventory, now):
        yield Wait(remaining, f"until every API server trusts the CA; then sign, because {reason}")
    else:
        yield Sign(reason)


def _retire(inventory: Inventory, now: datetime, terms: Terms, authority: TrustedAuthority) -> Iterator[Retire | Wait]:
    changes = _changes(inventory, Bundle.of([authority]))
    if not changes:
        return
    remaining = terms.leaf_settle - inventory.served_for
    if remaining > timedelta() and _others_valid(inventory, now):
        yield Wait(remaining, "until every replica serves the new leaf; then remove the old CAs")
    elif inventory.lagging:
        yield Wait(LAGGING_INTERVAL, f"until the new leaf is served at {', '.join(inventory.lagging)}")
    else:
        yield Retire(changes, "every replica serves a leaf of the CA, so old CAs are removed")


def _others_valid(inventory: Inventory, now: datetime) -> bool:
    return any(authority.is_valid(now) for authority in inventory.other_authorities)


def _changes(inventory: Inventory, wanted: Bundle) -> dict[Place, Bundle]:
    return {place: wanted for place, bundle in sorted(inventory.published.items()) if bundle != wanted}


def _count(places: list[Place]) -> str:
    first, *others = sorted(places)
    return f"{first} and {len(others)} more" if others else str(first)
