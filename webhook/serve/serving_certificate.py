"""Reads a serving certificate, and decides whether it may replace another certificate. This module does no I/O."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

BEHIND: Final = timedelta(days=1)
"""A new certificate may become valid up to this much later than now, in case the local clock is slow."""

OVERDUE_AT: Final = (5, 6)
"""The part of a certificate's lifetime after which its renewal is overdue. Renewal is due after two thirds of the lifetime."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """The first certificate in a ``tls.crt``. Further certificates in this file are intermediate CAs."""

    names: frozenset[str]
    issuer: bytes
    """The name of the issuer in DER form."""
    not_before: datetime
    not_after: datetime

    def holds(self, now: datetime) -> bool:
        """Whether the certificate is within its validity period."""
        return self.not_before <= now <= self.not_after

    def is_overdue(self, now: datetime) -> bool:
        """Whether the renewal of the certificate is overdue."""
        share, whole = OVERDUE_AT
        return now > self.not_before + (self.not_after - self.not_before) * share / whole


def read_leaf(pem: bytes) -> Leaf:
    """Returns the certificate that OpenSSL would serve. Raises ``ValueError`` if the certificate is unreadable."""
    try:
        certificate = x509.load_pem_x509_certificates(pem)[0]
        return Leaf(
            _names(certificate),
            certificate.issuer.public_bytes(),
            certificate.not_valid_before_utc,
            certificate.not_valid_after_utc,
        )
    except (TypeError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise ValueError("no readable certificate") from error


def _names(certificate: x509.Certificate) -> frozenset[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return frozenset()
    return frozenset(str(name.value) for name in names)


def objection(new: Leaf, served: Leaf, now: datetime) -> str:
    """
    Returns the reason why ``new`` must not replace ``served``, or '' if ``new`` may replace ``served``.

    A new certificate with a matching key can still be unusable, because it was deployed by mistake or issued with a wrong
    clock. In that case the served certificate is kept if it is valid. An expired certificate is always replaced.
    """
    if not served.holds(now):
        return ""
    if new.not_after < now:
        return "it is expired"
    if new.not_before > now + BEHIND:
        return "it is not yet valid"
    if new.names.isdisjoint(served.names) and new.issuer != served.issuer:
        return "neither its names nor its issuer match the serving certificate"
    return ""
