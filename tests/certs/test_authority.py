"""certs.authority: the content of a certificate, and its use in TLS."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from certs.authority import BACKDATE, CertificateAuthority, KeyPair, canonical_names, service_names
from tests.certs.world import NAMES, NOW


def leaf_of(pair: KeyPair) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pair.certificate)


def test_an_authority_signs_certificates_and_nothing_else() -> None:
    """
    The authority is P-256, self-signed, valid from an hour ago for the life asked for, and may sign leaves only.
    """
    certificate = CertificateAuthority.mint(NOW, timedelta(days=365)).certificate

    certificate.verify_directly_issued_by(certificate)
    key = certificate.public_key()
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp256r1"
    assert (constraints.critical, constraints.value.ca, constraints.value.path_length) == (True, True, 0)
    assert (usage.key_cert_sign, usage.digital_signature) == (True, False)
    assert certificate.not_valid_before_utc == NOW - BACKDATE
    assert certificate.not_valid_after_utc == NOW + timedelta(days=365)


def test_two_authorities_never_share_a_subject() -> None:
    """
    Old and new authority stand in one bundle, so a verifier must be able to tell them apart by name.
    """
    one, other = CertificateAuthority.mint(NOW), CertificateAuthority.mint(NOW)

    assert one.certificate.subject != other.certificate.subject


def test_a_leaf_holds_exactly_the_names_it_was_asked_for() -> None:
    """
    Subject alternative names are those given, each once; use is server authentication only.
    """
    authority = CertificateAuthority.mint(NOW)

    leaf = leaf_of(authority.sign(("a.b.svc", "127.0.0.1", "a.b.svc"), NOW, timedelta(days=7)))

    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(names) == [x509.DNSName("a.b.svc"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    assert (leaf.not_valid_before_utc, leaf.not_valid_after_utc) == (NOW - BACKDATE, NOW + timedelta(days=7))


def test_a_leaf_does_not_outlive_its_authority() -> None:
    """
    A verifier would refuse it anyway, so the leaf says so itself and is renewed in time.
    """
    authority = CertificateAuthority.mint(NOW, timedelta(days=3))

    leaf = leaf_of(authority.sign(NAMES, NOW, timedelta(days=7)))

    assert leaf.not_valid_after_utc == NOW + timedelta(days=3)


@pytest.mark.parametrize(
    "names",
    [
        (),
        ("",),
        ("UPPER.svc",),
        ("a_b.svc",),
        ("a..svc",),
        ("*.svc",),
        ("a.svc\n",),
        ("a" * 64,),
        ("-a.svc",),
        ("ä.svc",),
    ],
)
def test_an_invalid_name_is_refused(names: tuple[str, ...]) -> None:
    """
    No names, wildcards, capitals, and whatever else no Service is called by, are a mistake of the settings.
    """
    with pytest.raises(ValueError, match="DNS name"):
        canonical_names(names)


def test_addresses_have_one_spelling() -> None:
    """
    Two spellings of an address are one name, or a leaf would be renewed for ever.
    """
    assert canonical_names(("0:0::1", "::1", "localhost")) == ("::1", "localhost")


def test_a_service_has_one_host_name() -> None:
    """
    API servers use ``<service>.<namespace>.svc``, without the cluster's domain.
    """
    assert service_names("migratable", "webhooks") == ("migratable.webhooks.svc",)


def test_a_stored_authority_is_loaded_unchanged() -> None:
    """
    A certificate that is signed after a restart verifies with the CA certificate from before.
    """
    authority = CertificateAuthority.mint(NOW)

    again = CertificateAuthority.load(authority.pair)

    assert (again.certificate, again.pair) == (authority.certificate, authority.pair)
    leaf_of(again.sign(NAMES, NOW)).verify_directly_issued_by(authority.certificate)


def test_an_invalid_pair_is_not_loaded() -> None:
    """
    A foreign key, no key, junk, or more than 64 KiB is a ``ValueError``.
    """
    pair, other = CertificateAuthority.mint(NOW).pair, CertificateAuthority.mint(NOW).pair
    broken = [
        replace(pair, key=other.key),
        replace(pair, key=b""),
        replace(pair, certificate=b"junk"),
        replace(pair, key=pair.key + b" " * 65536),
    ]

    for one in broken:
        with pytest.raises(ValueError, match=r"."):
            CertificateAuthority.load(one)


def test_a_repr_has_no_key() -> None:
    """
    Neither pair nor authority prints its key, wherever it is printed by mistake.
    """
    authority = CertificateAuthority.mint(NOW)

    shown = repr(authority) + repr(authority.pair)

    assert "PRIVATE" not in shown
    assert "key=" not in shown


def handshake(leaf: KeyPair, bundle: bytes, name: str, folder: Path) -> str | None:
    """Shake hands in memory; returns the TLS version, which a failure never reaches."""
    (folder / "tls.crt").write_bytes(leaf.certificate)
    (folder / "tls.key").write_bytes(leaf.key)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    calling = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    calling.verify_flags |= ssl.VERIFY_X509_STRICT
    calling.load_verify_locations(cadata=bundle.decode("ascii"))
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = serving.wrap_bio(up, down, server_side=True)
    client = calling.wrap_bio(down, up, server_hostname=name)
    done: set[ssl.SSLObject] = set()
    for _ in range(10):
        for side in (client, server):
            try:
                side.do_handshake()
                done.add(side)
            except ssl.SSLWantReadError:
                continue
    assert done == {client, server}
    return client.version()


def test_tls_accepts_a_leaf_whose_authority_is_in_the_bundle(tmp_path: Path) -> None:
    """
    A strict verifier that trusts old and new authority accepts a leaf of either, by DNS name and by address.
    """
    now = datetime.now(UTC)
    old, new = CertificateAuthority.mint(now), CertificateAuthority.mint(now)
    bundle = old.pair.certificate + new.pair.certificate

    for authority in (old, new):
        leaf = authority.sign((*NAMES, "127.0.0.1"), now)
        assert handshake(leaf, bundle, NAMES[0], tmp_path) == "TLSv1.3"
        assert handshake(leaf, bundle, "127.0.0.1", tmp_path) == "TLSv1.3"


@pytest.mark.parametrize(
    ("name", "trusts_it", "age", "complaint"),
    [
        ("elsewhere.svc", True, timedelta(), "Hostname mismatch"),
        (NAMES[0], False, timedelta(), "certificate"),
        (NAMES[0], True, timedelta(days=8), "expired"),
        (NAMES[0], True, timedelta(hours=-2), "not yet valid"),
    ],
)
def test_tls_refuses_each_certificate_with_a_defect(
    name: str, trusts_it: bool, age: timedelta, complaint: str, tmp_path: Path
) -> None:
    """
    Wrong name, foreign authority, expired and not yet valid are refused by TLS itself.
    """
    now = datetime.now(UTC)
    authority = CertificateAuthority.mint(now - timedelta(days=30))
    trusted = authority if trusts_it else CertificateAuthority.mint(now)
    leaf = authority.sign(NAMES, now - age, timedelta(days=7))

    with pytest.raises(ssl.SSLCertVerificationError, match=complaint):
        handshake(leaf, trusted.pair.certificate, name, tmp_path)
