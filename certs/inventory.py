"""What stands where: the authority, the served leaf and every caBundle, read together. This file does no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from certs.authority import KeyPair
from certs.bundle import Bundle, TrustedAuthority
from certs.inspection import Damage, Inspection, find_issuer, inspect_authority, inspect_leaf, read_certificate


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """One caBundle: a webhook by its name in a webhook configuration."""

    resource: str
    """``validatingwebhookconfigurations`` or ``mutatingwebhookconfigurations``."""
    configuration: str
    webhook: str

    def __str__(self) -> str:
        return f"{self.resource}/{self.configuration} webhook {self.webhook}"


@dataclass(frozen=True, slots=True)
class Inventory:
    """What stands where, as one observer has just read it."""

    authority: Inspection
    """The pair that may sign."""
    authority_certificate: TrustedAuthority | None
    """The public half of that pair; None when it cannot be read."""
    serving: Inspection
    issuer: TrustedAuthority | None
    """The authority that signed the served leaf, wherever its certificate was found."""
    published: Mapping[Place, Bundle]
    published_for: timedelta = timedelta()
    """How long this observer has seen the authority in every caBundle, unbroken, on a clock that does not jump."""
    served_for: timedelta = timedelta()
    """How long this observer has seen this very leaf, on the same clock."""
    lagging: tuple[str, ...] = ()
    """Replicas that were asked, and that serve a leaf of another authority which is still accepted."""

    @property
    def others(self) -> tuple[TrustedAuthority, ...]:
        """Whoever is trusted anywhere besides the authority."""
        everybody = Bundle().union(*self.published.values()).authorities
        return tuple(one for one in everybody if one != self.authority_certificate)


def take_stock(
    authority: KeyPair,
    serving: KeyPair,
    issuer: bytes,
    published: Mapping[Place, bytes],
    names: Iterable[str],
    now: datetime,
) -> Inventory:
    """
    Inspect what was read, whatever it is; ``issuer`` is the ``ca.crt`` that was stored beside the served leaf.

    The issuer is looked for there, in the authority's own Secret and in every caBundle, so that losing any two of the
    three does not lose the trust in what is being served.
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
    Name who would be refused if the authority alone were trusted, and is accepted now; ``served`` is PEM by address.

    A leaf that nobody accepts holds nothing up: so a replica that is stuck delays us by the rest of its leaf's life at
    most, and a stranger at one of the addresses not at all.
    """
    return tuple(sorted(address for address, pem in served.items() if _is_accepted(pem, inventory.others, now)))


def _is_accepted(pem: bytes, authorities: Iterable[TrustedAuthority], now: datetime) -> bool:
    leaf = read_certificate(pem)
    if isinstance(leaf, Damage) or not leaf.not_valid_before_utc <= now <= leaf.not_valid_after_utc:
        return False
    return find_issuer(leaf, authorities) is not None
