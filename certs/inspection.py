"""What a stored certificate is, and everything that is wrong with it, as a value. This file does no I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from certs.authority import BACKDATE, MAX_PEM_BYTES, KeyPair, PrivateKey, canonical_names
from certs.bundle import MALFORMED, TrustedAuthority, parse_certificate

RENEW_AT: Final = (2, 3)
"""The part of its life after which a certificate is replaced."""

_BEGIN = re.compile(rb"-----BEGIN CERTIFICATE-----")
_END = re.compile(rb"-----END CERTIFICATE-----")


class Damage(StrEnum):
    """Every way in which a stored certificate can be of no use, in words for a log or a terminal."""

    EMPTY = "there is no certificate"
    TOO_LONG = "longer than 64 KiB"
    JUNK = "not a certificate in PEM"
    HALF = "the PEM breaks off in the middle"
    SEVERAL = "more than one certificate"
    NO_KEY = "there is no private key"
    KEY_JUNK = "the private key cannot be read"
    FOREIGN_KEY = "the private key belongs to another certificate"
    NOT_P256 = "the key is not P-256"
    NOT_AUTHORITY = "not a certificate authority"
    IS_AUTHORITY = "a certificate authority, which must not serve"
    NOT_SELF_SIGNED = "the authority is not self-signed"
    WRONG_USAGE = "its key usage does not allow this use"
    WRONG_NAMES = "its names are not the names we serve"
    FOREIGN_ISSUER = "no authority we know has signed it"
    ISSUER_NOT_VALID = "the authority that signed it is expired or not yet valid"
    EXPIRED = "expired"
    NOT_YET_VALID = "not yet valid"


@dataclass(frozen=True, slots=True)
class Inspection:
    """What stands in a certificate, and what is wrong with it; facts that could not be read are None or empty."""

    damage: tuple[Damage, ...] = ()
    fingerprint: str | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None
    names: tuple[str, ...] = ()
    is_authority: bool = False
    matches_key: bool = False
    signed_by: str | None = None
    """Fingerprint of the authority, among those offered, that signed it."""

    @property
    def is_good(self) -> bool:
        """Whether it can be used as it is."""
        return not self.damage

    @property
    def renew_after(self) -> datetime | None:
        """Two thirds of the way from the hour of issue (an hour after NotBefore) to NotAfter."""
        if self.not_before is None or self.not_after is None:
            return None
        issued = self.not_before + BACKDATE
        share, whole = RENEW_AT
        return issued + max(self.not_after - issued, timedelta()) * share / whole

    def is_due(self, now: datetime) -> bool:
        """Whether the time to replace it has come."""
        return self.renew_after is None or now >= self.renew_after


def inspect_authority(pair: KeyPair, now: datetime) -> Inspection:
    """Tell whether this pair can sign serving certificates now; reports every damage and never raises."""
    certificate = read_certificate(pair.certificate)
    if isinstance(certificate, Damage):
        return Inspection((certificate,))
    return _inspection(certificate, pair.key, now, _authority_damage(certificate))


def inspect_leaf(
    pair: KeyPair, now: datetime, names: Iterable[str] | None = None, authorities: Iterable[TrustedAuthority] = ()
) -> Inspection:
    """
    Tell whether this pair can serve exactly these names now; reports every damage and never raises for one.

    Without names (None) any name will do; a name that no certificate can hold is the caller's ``ValueError``.
    A leaf that none of the authorities signed is damaged.
    """
    certificate = read_certificate(pair.certificate)
    if isinstance(certificate, Damage):
        return Inspection((certificate,))
    wanted = None if names is None else frozenset(canonical_names(names))
    issuer = find_issuer(certificate, authorities)
    return _inspection(certificate, pair.key, now, _leaf_damage(certificate, wanted, issuer, now), issuer)


def find_issuer(certificate: x509.Certificate, authorities: Iterable[TrustedAuthority]) -> TrustedAuthority | None:
    """Find the authority whose key made the signature."""
    return next((authority for authority in authorities if authority.has_signed(certificate)), None)


def read_certificate(pem: bytes) -> x509.Certificate | Damage:
    """Read the one certificate in a PEM text, or say why that cannot be done."""
    if not pem.strip():
        return Damage.EMPTY
    if len(pem) > MAX_PEM_BYTES:
        return Damage.TOO_LONG
    begins, ends = len(_BEGIN.findall(pem)), len(_END.findall(pem))
    if begins != ends:
        return Damage.HALF
    if begins > 1:
        return Damage.SEVERAL
    try:
        certificate = parse_certificate(pem)
        _facts(certificate)
    except MALFORMED:
        return Damage.JUNK
    return certificate


def _inspection(
    certificate: x509.Certificate,
    key: bytes,
    now: datetime,
    damage: Iterable[Damage],
    issuer: TrustedAuthority | None = None,
) -> Inspection:
    names, is_authority = _facts(certificate)
    key_damage = _key_damage(certificate, key)
    return Inspection(
        (*key_damage, *damage, *_date_damage(certificate, now)),
        certificate.fingerprint(hashes.SHA256()).hex(),
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
        names,
        is_authority,
        key_damage in ((), (Damage.NOT_P256,)),
        issuer.fingerprint if issuer else None,
    )


def _facts(certificate: x509.Certificate) -> tuple[tuple[str, ...], bool]:
    """Read all that is used later, so that a certificate which cannot be read fails here and only here."""
    certificate.public_key()
    extensions = certificate.extensions
    _ = (certificate.not_valid_before_utc, certificate.not_valid_after_utc, certificate.subject, certificate.issuer)
    names: tuple[str, ...] = ()
    is_authority = False
    for extension in extensions:
        if isinstance(extension.value, x509.SubjectAlternativeName):
            names = tuple(str(name.value) for name in extension.value)
        elif isinstance(extension.value, x509.BasicConstraints):
            is_authority = extension.value.ca
    return names, is_authority


def _authority_damage(certificate: x509.Certificate) -> Iterator[Damage]:
    _, is_authority = _facts(certificate)
    if not is_authority:
        yield Damage.NOT_AUTHORITY
    if not TrustedAuthority(certificate).has_signed(certificate):
        yield Damage.NOT_SELF_SIGNED
    usages = [one.value for one in certificate.extensions if isinstance(one.value, x509.KeyUsage)]
    if not all(usage.key_cert_sign for usage in usages):
        yield Damage.WRONG_USAGE


def _leaf_damage(
    certificate: x509.Certificate, names: frozenset[str] | None, issuer: TrustedAuthority | None, now: datetime
) -> Iterator[Damage]:
    found, is_authority = _facts(certificate)
    if is_authority:
        yield Damage.IS_AUTHORITY
    usages = [one.value for one in certificate.extensions if isinstance(one.value, x509.ExtendedKeyUsage)]
    if not any(ExtendedKeyUsageOID.SERVER_AUTH in usage for usage in usages):
        yield Damage.WRONG_USAGE
    if not found or (names is not None and set(found) != names):
        yield Damage.WRONG_NAMES
    if issuer is None:
        yield Damage.FOREIGN_ISSUER
    elif not issuer.is_valid(now):
        yield Damage.ISSUER_NOT_VALID


def _date_damage(certificate: x509.Certificate, now: datetime) -> Iterator[Damage]:
    if now > certificate.not_valid_after_utc:
        yield Damage.EXPIRED
    if now < certificate.not_valid_before_utc:
        yield Damage.NOT_YET_VALID


def _key_damage(certificate: x509.Certificate, key: bytes) -> tuple[Damage, ...]:
    """At most one: a key that cannot be read is not compared, and one that does not belong is not measured."""
    if not key.strip():
        return (Damage.NO_KEY,)
    if len(key) > MAX_PEM_BYTES:
        return (Damage.KEY_JUNK,)
    try:
        private = serialization.load_pem_private_key(key, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return (Damage.KEY_JUNK,)
    if private.public_key() != certificate.public_key():
        return (Damage.FOREIGN_KEY,)
    if not isinstance(private, PrivateKey) or not isinstance(private.curve, ec.SECP256R1):
        return (Damage.NOT_P256,)
    return ()
