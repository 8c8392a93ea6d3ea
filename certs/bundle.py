"""The caBundle: which authorities an API server trusts when it calls us. This file does no I/O."""

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

# what cryptography raises for a certificate that is PEM and DER and still nonsense
MALFORMED: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)

# base64 alone in between, so that a block which breaks off does not swallow the one behind it
_BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]*-----END CERTIFICATE-----")


@dataclass(frozen=True)
class TrustedAuthority:
    """The public half of an authority, as it stands in a caBundle; equal when the certificates are."""

    certificate: x509.Certificate

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the DER form, in hexadecimal."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    @cached_property
    def pem(self) -> bytes:
        """One PEM block that ends in a newline."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def not_before(self) -> datetime:
        """The first second at which it counts, UTC."""
        return self.certificate.not_valid_before_utc

    @property
    def not_after(self) -> datetime:
        """The last second at which it counts, UTC."""
        return self.certificate.not_valid_after_utc

    def is_expired(self, now: datetime) -> bool:
        """Whether nobody whose clock is like ours will trust it again."""
        return self.not_after < now

    def is_valid(self, now: datetime) -> bool:
        """Whether its dates hold now."""
        return self.not_before <= now <= self.not_after

    def has_signed(self, certificate: x509.Certificate) -> bool:
        """Whether names and signature say that the certificate is from here; dates are not looked at."""
        try:
            certificate.verify_directly_issued_by(self.certificate)
        except (InvalidSignature, *MALFORMED):
            return False
        return True


@dataclass(frozen=True, slots=True)
class Bundle:
    """
    Authorities in an order that depends on nothing but themselves: oldest first, each once.

    So whoever writes a bundle, and from whatever parts, writes the same bytes.
    """

    authorities: tuple[TrustedAuthority, ...] = ()
    is_tidy: bool = True
    """False when the text it was read from held anything else: junk, duplicates, certificates that are no authority."""

    @classmethod
    def of(cls, authorities: Iterable[TrustedAuthority]) -> Bundle:
        """Order the authorities and leave out duplicates."""
        return cls(tuple(sorted(set(authorities), key=lambda authority: (authority.not_before, authority.fingerprint))))

    @classmethod
    def parse(cls, text: bytes) -> Bundle:
        """Keep every authority that can be read and never fail; longer than 64 KiB counts as all junk."""
        if len(text) > MAX_PEM_BYTES:
            return cls((), is_tidy=False)
        blocks = _BLOCK.findall(text)
        read = [authority for authority in map(_authority, blocks) if authority is not None]
        bundle = cls.of(read)
        is_tidy = len(bundle.authorities) == len(blocks) and not _BLOCK.sub(b"", text).strip()
        return cls(bundle.authorities, is_tidy)

    def __contains__(self, authority: TrustedAuthority) -> bool:
        return authority in self.authorities

    def union(self, *others: Bundle) -> Bundle:
        """Everything that one of them trusts."""
        return Bundle.of(authority for bundle in (self, *others) for authority in bundle.authorities)

    def without_expired(self, now: datetime, keep: Iterable[TrustedAuthority] = ()) -> Bundle:
        """Drop the expired, except those to be kept (a clock that jumped must not cost us the served leaf)."""
        kept = set(keep)
        return Bundle.of(one for one in self.authorities if one in kept or not one.is_expired(now))

    def render(self) -> bytes:
        """PEM, one block after the other; what :meth:`parse` reads back as the same, tidy bundle."""
        return b"".join(authority.pem for authority in self.authorities)


def parse_certificate(pem: bytes) -> x509.Certificate:
    """
    One certificate; raises one of ``MALFORMED`` for what is none.

    What cryptography reads and calls wrong (a serial number of 0, RFC 5280 section 4.1.2.2) is none either: nobody
    issues it, and a coming release refuses it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", CryptographyDeprecationWarning)
        try:
            return x509.load_pem_x509_certificate(pem)
        except CryptographyDeprecationWarning as wrong:
            raise ValueError(str(wrong)) from None


def _authority(block: bytes) -> TrustedAuthority | None:
    try:
        certificate = parse_certificate(block)
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        certificate.public_key()
    except (x509.ExtensionNotFound, *MALFORMED):
        return None
    return TrustedAuthority(certificate) if constraints.ca else None
