"""The CA, the serving certificate (leaf) and all caBundles, read together. This module does no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from certs.authority import KeyPair
from certs.bundle import Bundle, TrustedAuthority
from certs.inspection import Damage, Inspection, find_issuer, inspect_authority, inspect_leaf, read_certificate


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """The place of one caBundle: a webhook in a webhook configuration."""

    resource: str
    """``validatingwebhookconfigurations`` or ``mutatingwebhookconfigurations``."""
    configuration: str
    webhook: str

    def __str__(self) -> str:
        return f"{self.resource}/{self.configuration} webhook {self.webhook}"


@dataclass(frozen=True, slots=True)
class Inventory:
    """The state of all certificates, as one rotator just read it."""

    authority: Inspection
    """The CA with its key."""
    authority_certificate: TrustedAuthority | None
    """The certificate of the CA. None if it cannot be read."""
    serving: Inspection
    issuer: TrustedAuthority | None
    """The CA that signed the leaf, if its certificate is stored anywhere."""
    published: Mapping[Place, Bundle]
    published_for: timedelta = timedelta()
    """How long this rotator has continuously seen the CA in every caBundle, by a monotonic clock."""
    served_for: timedelta = timedelta()
    """How long this rotator has continuously seen this leaf, by the same clock."""
    lagging: tuple[str, ...] = ()
    """Replicas that still serve a leaf of another CA that API servers accept."""

    @property
    def other_authorities(self) -> tuple[TrustedAuthority, ...]:
        """All CAs in the caBundles, without the current CA."""
        trusted = Bundle().union(*self.published.values()).authorities
        return tuple(authority for authority in trusted if authority != self.authority_certificate)


def take_inventory(
    authority: KeyPair,
    serving: KeyPair,
    issuer: bytes,
    published: Mapping[Place, bytes],
    names: Iterable[str],
    now: datetime,
) -> Inventory:
    """
    Inspects the stored certificates. ``issuer`` is the ``ca.crt`` that is stored beside the leaf.

    This function looks for the issuer of the leaf in that ``ca.crt``, in the Secret of the CA and in every caBundle. The
    rotator therefore keeps the issuer in the caBundles even if two of these three copies are lost.
    """
    bundles = {place: Bundle.parse(text) for place, text in published.items()}
    own = Bundle.parse(authority.certificate)
    known = own.union(Bundle.parse(issuer), *bundles.values()).authorities
    leaf = read_certificate(serving.certificate)
    return Inventory(
        authority=inspect_authority(authority, now),
        authority_certificate=own.authorities[0] if len(own.authorities) == 1 else None,
        serving=inspect_leaf(serving, now, names, known),
        issuer=None if isinstance(leaf, Damage) else find_issuer(leaf, known),
        published=bundles,
    )


def find_lagging(served: Mapping[str, bytes], inventory: Inventory, now: datetime) -> tuple[str, ...]:
    """
    Returns the replicas whose leaf API servers accept now, and will not accept once they trust only the current CA. ``served``
    maps addresses to PEM certificates.

    A leaf that API servers do not accept does not delay the rotation. A replica that hangs therefore delays the rotation until
    its leaf expires, and a foreign server at one of the addresses does not delay it.
    """
    return tuple(
        sorted(address for address, pem in served.items() if _is_accepted(pem, inventory.other_authorities, now))
    )


def _is_accepted(pem: bytes, authorities: Iterable[TrustedAuthority], now: datetime) -> bool:
    leaf = read_certificate(pem)
    if isinstance(leaf, Damage) or not leaf.not_valid_before_utc <= now <= leaf.not_valid_after_utc:
        return False
    return find_issuer(leaf, authorities) is not None
