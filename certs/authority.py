"""
A certificate authority (CA) with P-256 keys. The NotBefore date of a certificate is one hour before its issue. This module does
no I/O.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

BACKDATE: Final = timedelta(hours=1)
"""NotBefore is this long before the time of issue, so that small clock differences do no harm."""

AUTHORITY_LIFETIME: Final = timedelta(days=365)
LEAF_LIFETIME: Final = timedelta(days=7)

MAX_PEM_BYTES: Final = 64 * 1024
"""The maximum size of a parsed text (CVE-2024-12401: parsing hostile PEM took minutes)."""

# Matches RFC 1123 labels, which the DNS names of Kubernetes Services consist of
_DNS_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*\Z")

PrivateKey = ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate and its private key in PEM. The repr omits the key."""

    certificate: bytes
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CertificateAuthority:
    """A CA that signs only serving certificates."""

    certificate: x509.Certificate
    key: PrivateKey = field(repr=False)

    @classmethod
    def mint(cls, now: datetime, lifetime: timedelta = AUTHORITY_LIFETIME) -> CertificateAuthority:
        """Creates a self-signed CA with a unique subject, so that clients never confuse an old CA with a new one."""
        key = ec.generate_private_key(ec.SECP256R1())
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        subject = _common_name(f"migratable authority {identifier.digest.hex()[:16]}")
        certificate = (
            _builder(subject, subject, key.public_key(), now, now + lifetime)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(signs_certificates=True), critical=True)
            .add_extension(identifier, critical=False)
            .sign(key, hashes.SHA256())
        )
        return cls(certificate, key)

    @classmethod
    def load(cls, pair: KeyPair) -> CertificateAuthority:
        """Loads the result of :attr:`pair`. Raises ``ValueError`` unless the pair is one certificate with its P-256 key."""
        if max(len(pair.certificate), len(pair.key)) > MAX_PEM_BYTES:
            raise ValueError(f"the PEM is longer than {MAX_PEM_BYTES} bytes")
        try:
            certificate = x509.load_pem_x509_certificate(pair.certificate)
            key = serialization.load_pem_private_key(pair.key, password=None)
            public = certificate.public_key()
        except (TypeError, UnsupportedAlgorithm) as error:
            raise ValueError("the key is encrypted or of an unknown type") from error
        if not isinstance(key, PrivateKey) or key.public_key() != public:
            raise ValueError("the key does not belong to the certificate")
        return cls(certificate, key)

    @property
    def pair(self) -> KeyPair:
        """The certificate and the key of the CA in PEM, as a Secret or a file stores them."""
        return _pair(self.certificate, self.key)

    def sign(self, names: Iterable[str], now: datetime, lifetime: timedelta = LEAF_LIFETIME) -> KeyPair:
        """
        Issues a serving certificate with a new key for exactly these DNS names and IP addresses.

        The certificate never expires after the CA. Raises ``ValueError`` if there is no name, or if a name is invalid.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        not_after = min(now + lifetime, self.certificate.not_valid_after_utc)
        authority_identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        certificate = (
            _builder(_common_name("migratable serving"), self.certificate.subject, key.public_key(), now, not_after)
            .add_extension(x509.SubjectAlternativeName(general_names(names)), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(authority_identifier, critical=False)
            .sign(self.key, hashes.SHA256())
        )
        return _pair(certificate, key)


def general_names(names: Iterable[str]) -> list[x509.GeneralName]:
    """Converts DNS names and IP addresses to subject alternative names, without duplicates, in order."""
    wanted = list(dict.fromkeys(map(_general_name, names)))
    if not wanted:
        raise ValueError("a serving certificate needs at least one DNS name")
    return wanted


def canonical_names(names: Iterable[str]) -> tuple[str, ...]:
    """Returns the names as certificates spell them, without duplicates. Raises ``ValueError`` for an invalid name."""
    return tuple(str(name.value) for name in general_names(names))


def service_names(service: str, namespace: str) -> tuple[str, ...]:
    """Returns ``<service>.<namespace>.svc``, the host name with which API servers call a webhook Service."""
    return (f"{service}.{namespace}.svc",)


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        if not _DNS_NAME.match(name):
            raise ValueError(f"{name[:80]!r} is neither a DNS name nor an IP address") from None
        return x509.DNSName(name)


def _common_name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey, now: datetime, not_after: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before((now - BACKDATE).replace(microsecond=0))
        .not_valid_after(not_after.replace(microsecond=0))
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pair(certificate: x509.Certificate, key: PrivateKey) -> KeyPair:
    return KeyPair(
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )
