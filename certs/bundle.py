"""The caBundle: the CAs that an API server trusts when it calls a webhook. This module does no I/O."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.utils import CryptographyDeprecationWarning

from certs.authority import MAX_PEM_BYTES

# Errors that cryptography raises for valid PEM and DER that is not a valid certificate.
MALFORMED: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)

# Allows only base64 inside a block, so that a match of a truncated block does not extend into the next block.
_BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]*-----END CERTIFICATE-----")


@dataclass(frozen=True)
class TrustedAuthority:
    """The certificate of a CA, as in a caBundle. Two CAs are equal if their certificates are equal."""

    certificate: x509.Certificate

    @cached_property
    def fingerprint(self) -> str:
        """The SHA-256 hash of the certificate's DER form, in hexadecimal."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    @cached_property
    def pem(self) -> bytes:
        """The certificate as one PEM block that ends in a newline."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def not_before(self) -> datetime:
        """NotBefore, UTC."""
        return self.certificate.not_valid_before_utc

    @property
    def not_after(self) -> datetime:
        """NotAfter, UTC."""
        return self.certificate.not_valid_after_utc

    def is_expired(self, now: datetime) -> bool:
        """Whether the NotAfter date of the certificate has passed."""
        return self.not_after < now

    def is_valid(self, now: datetime) -> bool:
        """Whether the certificate is within its lifetime."""
        return self.not_before <= now <= self.not_after

    def has_signed(self, certificate: x509.Certificate) -> bool:
        """Whether this CA issued the certificate, by name and signature. Ignores dates."""
        try:
            certificate.verify_directly_issued_by(self.certificate)
        except (InvalidSignature, *MALFORMED):
            return False
        return True


@dataclass(frozen=True, slots=True)
class Bundle:
    """
    CAs without duplicates, oldest first.

    The order depends only on the CAs, so all rotators write the same bytes.
    """

    authorities: tuple[TrustedAuthority, ...] = ()
    is_canonical: bool = True
    """False if the parsed text also contained other text, duplicates, or certificates that are not CAs."""

    @classmethod
    def of(cls, authorities: Iterable[TrustedAuthority]) -> Bundle:
        """Sorts the CAs and removes duplicates."""
        return cls(tuple(sorted(set(authorities), key=lambda authority: (authority.not_before, authority.fingerprint))))

    @classmethod
    def parse(cls, text: bytes) -> Bundle:
        """Parses a caBundle. Keeps every readable CA and never raises. Keeps no CA from a text that is longer than 64 KiB."""
        if len(text) > MAX_PEM_BYTES:
            return cls((), is_canonical=False)
        blocks = _BLOCK.findall(text)
        bundle = cls.of(authority for authority in map(_authority, blocks) if authority is not None)
        is_canonical = len(bundle.authorities) == len(blocks) and not _BLOCK.sub(b"", text).strip()
        return cls(bundle.authorities, is_canonical)

    def __contains__(self, authority: TrustedAuthority) -> bool:
        return authority in self.authorities

    def union(self, *others: Bundle) -> Bundle:
        """Returns a bundle of all CAs in these bundles."""
        return Bundle.of(authority for bundle in (self, *others) for authority in bundle.authorities)

    def without_expired(self, now: datetime, keep: Iterable[TrustedAuthority] = ()) -> Bundle:
        """Removes expired CAs, except the CAs in ``keep``. A clock jump must not remove the issuer of the served leaf."""
        kept = set(keep)
        return Bundle.of(ca for ca in self.authorities if ca in kept or not ca.is_expired(now))

    def render(self) -> bytes:
        """Returns the bundle in PEM. :meth:`parse` reads this text as the same canonical bundle."""
        return b"".join(authority.pem for authority in self.authorities)


def parse_certificate(pem: bytes) -> x509.Certificate:
    """
    Parses one certificate. Raises one of the errors in ``MALFORMED`` for an invalid certificate.

    A certificate that causes a deprecation warning of cryptography also counts as invalid, for example a serial number of 0
    (RFC 5280 section 4.1.2.2). CAs do not issue such certificates, and a later release of cryptography refuses them.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", CryptographyDeprecationWarning)
        try:
            return x509.load_pem_x509_certificate(pem)
        except CryptographyDeprecationWarning as warning:
            raise ValueError(str(warning)) from None


def _authority(block: bytes) -> TrustedAuthority | None:
    try:
        certificate = parse_certificate(block)
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        certificate.public_key()
    except (x509.ExtensionNotFound, *MALFORMED):
        return None
    return TrustedAuthority(certificate) if constraints.ca else None
