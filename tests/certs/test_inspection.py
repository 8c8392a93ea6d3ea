"""certs.inspection: every defect has a name, and none raises an exception."""

from __future__ import annotations

import ssl
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from certs.authority import CertificateAuthority, KeyPair
from certs.inspection import Damage, Inspection, inspect_authority, inspect_leaf
from tests.certs.world import NAMES, NOW, authority_of

AUTHORITY = CertificateAuthority.mint(NOW)
OTHER = CertificateAuthority.mint(NOW)
PAIR = AUTHORITY.pair
LEAF = AUTHORITY.sign(NAMES, NOW)
TRUSTED = authority_of(PAIR)
DAY = timedelta(days=1)


def look(pair: KeyPair, now: datetime = NOW) -> tuple[Damage, ...]:
    return inspect_leaf(pair, now, NAMES, (authority_of(OTHER.pair), TRUSTED)).damage


def test_the_inspection_of_a_valid_leaf_has_all_facts() -> None:
    """
    Dates, names, key and signer of a good leaf are facts, and there is no damage.
    """
    inspection = inspect_leaf(LEAF, NOW, NAMES, (TRUSTED,))

    assert inspection == Inspection(
        damage=(),
        fingerprint=x509.load_pem_x509_certificate(LEAF.certificate).fingerprint(hashes.SHA256()).hex(),
        not_before=NOW - timedelta(hours=1),
        not_after=NOW + 7 * DAY,
        names=NAMES,
        is_authority=False,
        matches_key=True,
        signed_by=TRUSTED.fingerprint,
    )


@pytest.mark.parametrize(
    ("pair", "damage"),
    [
        (KeyPair(b"", b""), Damage.NO_CERTIFICATE),
        (KeyPair(b" \n", LEAF.key), Damage.NO_CERTIFICATE),
        (KeyPair(LEAF.certificate[:300], LEAF.key), Damage.TRUNCATED),
        (KeyPair(LEAF.certificate[300:], LEAF.key), Damage.TRUNCATED),
        (KeyPair(LEAF.certificate + PAIR.certificate, LEAF.key), Damage.MULTIPLE),
        (KeyPair(LEAF.certificate.replace(b"M", b"N", 1), LEAF.key), Damage.INVALID_PEM),
        (KeyPair(b"\x00junk", LEAF.key), Damage.INVALID_PEM),
        (KeyPair(b"x" * 65537, LEAF.key), Damage.TOO_LONG),
        (KeyPair(LEAF.certificate, b""), Damage.NO_KEY),
        (KeyPair(LEAF.certificate, LEAF.key[:100]), Damage.INVALID_KEY),
        (KeyPair(LEAF.certificate, b"x" * 65537), Damage.INVALID_KEY),
        (KeyPair(LEAF.certificate, PAIR.key), Damage.KEY_MISMATCH),
        (AUTHORITY.sign(("elsewhere.svc",), NOW), Damage.WRONG_NAMES),
        (AUTHORITY.sign((*NAMES, "localhost"), NOW), Damage.WRONG_NAMES),
        (CertificateAuthority.mint(NOW).sign(NAMES, NOW), Damage.UNKNOWN_ISSUER),
        (AUTHORITY.sign(NAMES, NOW - 30 * DAY), Damage.EXPIRED),
        (AUTHORITY.sign(NAMES, NOW + DAY), Damage.NOT_YET_VALID),
    ],
)
def test_each_defect_of_a_leaf_is_reported(pair: KeyPair, damage: Damage) -> None:
    """
    Each kind of damage alone is reported as that kind alone.
    """
    assert look(pair) == (damage,)


def test_several_defects_are_reported_together() -> None:
    """
    An authority in the place of the leaf is wrong in every way it is wrong.
    """
    assert look(PAIR) == (Damage.IS_AUTHORITY, Damage.WRONG_USAGE, Damage.WRONG_NAMES)


@pytest.mark.parametrize("now", [NOW - DAY, NOW + 400 * DAY])
def test_a_leaf_of_an_invalid_authority_is_invalid(now: datetime) -> None:
    """
    A leaf whose authority is expired, or of the future, is refused by every verifier.
    """
    leaf = CertificateAuthority(AUTHORITY.certificate, AUTHORITY.key).sign(NAMES, NOW)

    assert Damage.ISSUER_NOT_VALID in look(leaf, now)


@pytest.mark.parametrize(
    ("pair", "now", "damage"),
    [
        (PAIR, NOW, ()),
        (PAIR, NOW + 366 * DAY, (Damage.EXPIRED,)),
        (PAIR, NOW - DAY, (Damage.NOT_YET_VALID,)),
        (KeyPair(PAIR.certificate, OTHER.pair.key), NOW, (Damage.KEY_MISMATCH,)),
        (KeyPair(PAIR.certificate * 2, PAIR.key), NOW, (Damage.MULTIPLE,)),
        (LEAF, NOW, (Damage.NOT_AUTHORITY, Damage.NOT_SELF_SIGNED, Damage.WRONG_USAGE)),
        (KeyPair(b"", b""), NOW, (Damage.NO_CERTIFICATE,)),
    ],
)
def test_each_defect_of_an_authority_is_reported(pair: KeyPair, now: datetime, damage: tuple[Damage, ...]) -> None:
    """
    An authority is good when it is whole, self-signed, has its key and its dates hold.
    """
    assert inspect_authority(pair, now).damage == damage


@pytest.mark.parametrize("key", [rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP384R1())])
def test_a_key_that_is_not_p256_is_a_defect(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> None:
    """
    A whole authority with another kind of key is not used.
    """
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "own")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, NOW - DAY, NOW + DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())

    inspection = inspect_authority(KeyPair(certificate.public_bytes(pem), private), NOW)

    assert inspection.damage == (Damage.NOT_P256,)
    assert inspection.matches_key


def test_an_encrypted_key_cannot_be_read() -> None:
    """
    There is no way to enter a password.
    """
    key = AUTHORITY.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )

    assert inspect_authority(KeyPair(PAIR.certificate, key), NOW).damage == (Damage.INVALID_KEY,)


def test_renewal_is_due_after_two_thirds_of_the_lifetime() -> None:
    """
    Life counts from the hour of issue, not from NotBefore, which lies an hour behind it.
    """
    leaf = inspect_leaf(AUTHORITY.sign(NAMES, NOW, 6 * DAY), NOW)

    assert leaf.renew_after == NOW + 4 * DAY
    assert not leaf.is_due(NOW + 4 * DAY - timedelta(seconds=1))
    assert leaf.is_due(NOW + 4 * DAY)


def test_an_unreadable_certificate_is_due() -> None:
    """
    There is no date to wait for.
    """
    assert inspect_leaf(KeyPair(b"", b""), NOW).is_due(NOW)


@given(st.integers(0, 2000), st.integers(0, 255), st.integers(0, 2000), st.booleans())
def test_a_changed_byte_never_makes_an_inspection_raise(place: int, octet: int, cut: int, of_key: bool) -> None:
    """
    A certificate or key with one octet changed, or cut short, is inspected like any other.
    """
    text = bytearray(LEAF.key if of_key else LEAF.certificate)
    text[place % len(text)] = octet

    for broken in (bytes(text), bytes(text[:cut])):
        pair = KeyPair(LEAF.certificate, broken) if of_key else KeyPair(broken, LEAF.key)
        assert isinstance(inspect_leaf(pair, NOW, NAMES, (TRUSTED,)), Inspection)
        assert isinstance(inspect_authority(pair, NOW), Inspection)


@given(st.data())
def test_a_changed_byte_inside_the_certificate_never_makes_an_inspection_raise(data: st.DataObject) -> None:
    """
    DER that is nonsense behind a whole PEM is damage too.
    """
    der = bytearray(x509.load_pem_x509_certificate(LEAF.certificate).public_bytes(serialization.Encoding.DER))
    for _ in range(data.draw(st.integers(1, 3))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    pem = ssl.DER_cert_to_PEM_cert(bytes(der)).encode("ascii")

    inspection = inspect_leaf(KeyPair(pem, LEAF.key), NOW, NAMES, (TRUSTED,))

    assert inspection.is_good == (pem == LEAF.certificate)
