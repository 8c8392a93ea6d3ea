"""A certificate authority of our own: P-256 keys, short lives, NotBefore one hour back. This file does no I/O."""

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
"""How far NotBefore lies behind the hour of issue, so that machines whose clocks differ a little agree."""

AUTHORITY_LIFETIME: Final = timedelta(days=365)
LEAF_LIFETIME: Final = timedelta(days=7)

MAX_PEM_BYTES: Final = 64 * 1024
"""Nothing longer is ever given to a parser (CVE-2024-12401: parsing hostile PEM took minutes)."""

# RFC 1123 labels, as a Kubernetes Service's names are made of
_DNS_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*\Z")

PrivateKey = ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate and its private key, both PEM; the key never shows in a repr."""

    certificate: bytes
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CertificateAuthority:
    """Signs serving certificates and nothing else."""

    certificate: x509.Certificate
    key: PrivateKey = field(repr=False)

    @classmethod
    def mint(cls, now: datetime, lifetime: timedelta = AUTHORITY_LIFETIME) -> CertificateAuthority:
        """Make a self-signed authority whose subject is unique, so that two generations are never mixed up."""
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
        """Read back what :attr:`pair` wrote; raises ``ValueError`` for anything but one certificate and its P-256 key."""
        if max(len(pair.certificate), len(pair.key)) > MAX_PEM_BYTES:
            raise ValueError(f"the PEM is longer than {MAX_PEM_BYTES} bytes")
        try:
            certificate = x509.load_pem_x509_certificate(pair.certificate)
            key = serialization.load_pem_private_key(pair.key, password=None)
            public = certificate.public_key()
        except (TypeError, UnsupportedAlgorithm) as error:
            raise ValueError("the key is encrypted or of an unknown kind") from error
        if not isinstance(key, PrivateKey) or key.public_key() != public:
            raise ValueError("the key does not belong to the certificate")
        return cls(certificate, key)

    @property
    def pair(self) -> KeyPair:
        """The authority as it is stored."""
        return _pair(self.certificate, self.key)

    def sign(self, names: Iterable[str], now: datetime, lifetime: timedelta = LEAF_LIFETIME) -> KeyPair:
        """
        Issue a serving certificate with a new key for exactly these DNS names and addresses.

        It never outlives the authority. Raises ``ValueError`` for no names, or one that is neither.
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
    """Turn DNS names and IP addresses into subject alternative names; each once, in the order given."""
    wanted = list(dict.fromkeys(map(_general_name, names)))
    if not wanted:
        raise ValueError("a serving certificate needs at least one DNS name")
    return wanted


def canonical_names(names: Iterable[str]) -> tuple[str, ...]:
    """Spell names as a certificate spells them, each once; raises ``ValueError`` for what cannot stand in one."""
    return tuple(str(name.value) for name in general_names(names))


def service_names(service: str, namespace: str) -> tuple[str, ...]:
    """Name a Service as the API server does when it calls a webhook: ``<service>.<namespace>.svc`` and nothing else."""
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
