"""What a serving certificate says of itself, and whether one may take the place of another. This file does no I/O."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

BEHIND: Final = timedelta(days=1)
"""How far this machine's clock may be behind before a new certificate looks like one from the future."""

OVERDUE_AT: Final = (5, 6)
"""The part of its life after which a certificate should long have been replaced: renewal is due at two thirds."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """The first certificate of a ``tls.crt``; further ones, as intermediate authorities, are only passed on."""

    names: frozenset[str]
    issuer: bytes
    """The issuer's name, DER."""
    not_before: datetime
    not_after: datetime

    def holds(self, now: datetime) -> bool:
        """Whether its dates hold."""
        return self.not_before <= now <= self.not_after

    def is_overdue(self, now: datetime) -> bool:
        """Whether the certificate that should replace it is late, whatever the cause."""
        share, whole = OVERDUE_AT
        return now > self.not_before + (self.not_after - self.not_before) * share / whole


def read_leaf(pem: bytes) -> Leaf:
    """Reads what OpenSSL would serve; raises ``ValueError`` where there is no certificate to be read."""
    try:
        certificate = x509.load_pem_x509_certificates(pem)[0]
        return Leaf(
            _names(certificate),
            certificate.issuer.public_bytes(),
            certificate.not_valid_before_utc,
            certificate.not_valid_after_utc,
        )
    except (TypeError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise ValueError("no certificate that can be read") from error


def _names(certificate: x509.Certificate) -> frozenset[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return frozenset()
    return frozenset(str(name.value) for name in names)


def objection(new: Leaf, served: Leaf, now: datetime) -> str:
    """
    Why ``new`` must not take the place of ``served``; empty where it may.

    A pair that matches can still be of no use to anybody: put there by mistake, or by a clock that was wrong. Whoever
    has something that works keeps it. Once that has run out, anything is as good.
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
