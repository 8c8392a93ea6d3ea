"""Inspects a stored certificate and returns all its defects as a value. This module does no I/O."""

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
"""The share of its lifetime after which a certificate is renewed."""

_BEGIN = re.compile(rb"-----BEGIN CERTIFICATE-----")
_END = re.compile(rb"-----END CERTIFICATE-----")


class Damage(StrEnum):
    """The defects of a stored certificate, with the text for logs and terminals."""

    NO_CERTIFICATE = "the certificate is missing"
    TOO_LONG = "the PEM is longer than 64 KiB"
    INVALID_PEM = "not a certificate in PEM"
    TRUNCATED = "the PEM is truncated"
    MULTIPLE = "the PEM has more than one certificate"
    NO_KEY = "the private key is missing"
    INVALID_KEY = "the private key cannot be read"
    KEY_MISMATCH = "the private key belongs to another certificate"
    NOT_P256 = "the key is not P-256"
    NOT_AUTHORITY = "not a CA certificate"
    IS_AUTHORITY = "a CA certificate, which must not be used for serving"
    NOT_SELF_SIGNED = "the CA certificate is not self-signed"
    WRONG_USAGE = "its key usage does not allow this use"
    WRONG_NAMES = "its names differ from the required names"
    UNKNOWN_ISSUER = "it is not signed by a known CA"
    ISSUER_NOT_VALID = "the CA that signed it is expired or not yet valid"
    EXPIRED = "expired"
    NOT_YET_VALID = "not yet valid"


@dataclass(frozen=True, slots=True)
class Inspection:
    """The content and the defects of a certificate. Values that cannot be read are None or empty."""

    damage: tuple[Damage, ...] = ()
    fingerprint: str | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None
    names: tuple[str, ...] = ()
    is_authority: bool = False
    matches_key: bool = False
    signed_by: str | None = None
    """The fingerprint of the CA that signed it, if that CA is known."""

    @property
    def is_good(self) -> bool:
        """Whether the certificate has no defect."""
        return not self.damage

    @property
    def renew_after(self) -> datetime | None:
        """The date at which renewal is due: two thirds of the way from issue (one hour after NotBefore) to NotAfter."""
        if self.not_before is None or self.not_after is None:
            return None
        issued = self.not_before + BACKDATE
        share, whole = RENEW_AT
        return issued + max(self.not_after - issued, timedelta()) * share / whole

    def is_due(self, now: datetime) -> bool:
        """Whether renewal is due."""
        return self.renew_after is None or now >= self.renew_after


def inspect_authority(pair: KeyPair, now: datetime) -> Inspection:
    """Checks whether this pair can sign serving certificates now. Reports all defects and never raises."""
    certificate = read_certificate(pair.certificate)
    if isinstance(certificate, Damage):
        return Inspection((certificate,))
    return _inspection(certificate, pair.key, now, _authority_damage(certificate))


def inspect_leaf(
    pair: KeyPair, now: datetime, names: Iterable[str] | None = None, authorities: Iterable[TrustedAuthority] = ()
) -> Inspection:
    """
    Checks whether this pair can serve exactly these names now. Reports all defects.

    If ``names`` is None, all names are accepted. Raises ``ValueError`` only for invalid ``names``. A leaf that no known CA
    issued is defective.
    """
    certificate = read_certificate(pair.certificate)
    if isinstance(certificate, Damage):
        return Inspection((certificate,))
    wanted = None if names is None else frozenset(canonical_names(names))
    issuer = find_issuer(certificate, authorities)
    return _inspection(certificate, pair.key, now, _leaf_damage(certificate, wanted, issuer, now), issuer)


def find_issuer(certificate: x509.Certificate, authorities: Iterable[TrustedAuthority]) -> TrustedAuthority | None:
    """Returns the CA that issued the certificate."""
    return next((authority for authority in authorities if authority.has_signed(certificate)), None)


def read_certificate(pem: bytes) -> x509.Certificate | Damage:
    """Returns the only certificate in a PEM text, or the defect of the text."""
    if not pem.strip():
        return Damage.NO_CERTIFICATE
    if len(pem) > MAX_PEM_BYTES:
        return Damage.TOO_LONG
    begins, ends = len(_BEGIN.findall(pem)), len(_END.findall(pem))
    if begins != ends:
        return Damage.TRUNCATED
    if begins > 1:
        return Damage.MULTIPLE
    try:
        certificate = parse_certificate(pem)
        _facts(certificate)
    except MALFORMED:
        return Damage.INVALID_PEM
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
    """Reads all fields that are used later, so that only this function has to handle an unreadable certificate."""
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
    extensions = [extension.value for extension in certificate.extensions]
    usages = [extension for extension in extensions if isinstance(extension, x509.KeyUsage)]
    if not all(usage.key_cert_sign for usage in usages):
        yield Damage.WRONG_USAGE


def _leaf_damage(
    certificate: x509.Certificate, wanted: frozenset[str] | None, issuer: TrustedAuthority | None, now: datetime
) -> Iterator[Damage]:
    names, is_authority = _facts(certificate)
    if is_authority:
        yield Damage.IS_AUTHORITY
    extensions = [extension.value for extension in certificate.extensions]
    usages = [extension for extension in extensions if isinstance(extension, x509.ExtendedKeyUsage)]
    if not any(ExtendedKeyUsageOID.SERVER_AUTH in usage for usage in usages):
        yield Damage.WRONG_USAGE
    if not names or (wanted is not None and set(names) != wanted):
        yield Damage.WRONG_NAMES
    if issuer is None:
        yield Damage.UNKNOWN_ISSUER
    elif not issuer.is_valid(now):
        yield Damage.ISSUER_NOT_VALID


def _date_damage(certificate: x509.Certificate, now: datetime) -> Iterator[Damage]:
    if now > certificate.not_valid_after_utc:
        yield Damage.EXPIRED
    if now < certificate.not_valid_before_utc:
        yield Damage.NOT_YET_VALID


def _key_damage(certificate: x509.Certificate, key: bytes) -> tuple[Damage, ...]:
    """
    Returns the defect of the key, if there is one.

    An unreadable key is not compared with the certificate. A key that does not match the certificate is not checked further.
    """
    if not key.strip():
        return (Damage.NO_KEY,)
    if len(key) > MAX_PEM_BYTES:
        return (Damage.INVALID_KEY,)
    try:
        private = serialization.load_pem_private_key(key, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return (Damage.INVALID_KEY,)
    if private.public_key() != certificate.public_key():
        return (Damage.KEY_MISMATCH,)
    if not isinstance(private, PrivateKey) or not isinstance(private.curve, ec.SECP256R1):
        return (Damage.NOT_P256,)
    return ()
