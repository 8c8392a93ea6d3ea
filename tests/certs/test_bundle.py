"""certs.bundle: each set of authorities has exactly one text, and any text can be read as a set of authorities."""

from __future__ import annotations

import base64
import warnings
from collections.abc import Callable
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.x509.oid import ExtensionOID, NameOID
from hypothesis import given
from hypothesis import strategies as st

from certs.authority import MAX_PEM_BYTES, CertificateAuthority
from certs.bundle import Bundle, TrustedAuthority
from tests.certs.world import NAMES, NOW

MINTED = [CertificateAuthority.mint(NOW + timedelta(days=days), timedelta(days=10)) for days in (0, 0, 5, -20)]
TRUSTED = [TrustedAuthority(one.certificate) for one in MINTED]
EXPIRED = TRUSTED[3]
CA = x509.BasicConstraints(ca=True, path_length=None)
NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "unusual")])
EC_KEY_OID = bytes.fromhex("2a8648ce3d0201")
bundles = st.lists(st.sampled_from(TRUSTED)).map(Bundle.of)


def unusual(
    *extensions: x509.ExtensionType, key: ec.EllipticCurvePublicKey | x25519.X25519PublicKey | None = None
) -> x509.Certificate:
    """A certificate that CertificateAuthority would not make."""
    signer = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateBuilder(NAME, NAME, key or signer.public_key(), 1, NOW, NOW + timedelta(days=1))
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(signer, hashes.SHA256())


def pem_of(certificate: x509.Certificate, replaced: bytes = b"", by: bytes = b"") -> bytes:
    """The certificate as PEM, with some octets of its DER form replaced."""
    der = certificate.public_bytes(serialization.Encoding.DER)
    body = base64.encodebytes(der.replace(replaced, by) if replaced else der)
    return b"-----BEGIN CERTIFICATE-----\n" + body + b"-----END CERTIFICATE-----\n"


def without_constraints() -> bytes:
    return pem_of(unusual())


def with_a_duplicate_extension() -> bytes:
    first, second = x509.ObjectIdentifier("1.3.6.1.4.1.1.1"), x509.ObjectIdentifier("1.3.6.1.4.1.1.2")
    certificate = unusual(CA, x509.UnrecognizedExtension(first, b""), x509.UnrecognizedExtension(second, b""))
    return pem_of(certificate, bytes.fromhex("2b06010401") + b"\1\2", bytes.fromhex("2b06010401") + b"\1\1")


def with_a_general_name_of_an_unsupported_type() -> bytes:
    x400_address = bytes.fromhex("3002a300")
    return pem_of(unusual(CA, x509.UnrecognizedExtension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, x400_address)))


def with_a_key_of_an_unsupported_algorithm() -> bytes:
    return pem_of(unusual(CA), EC_KEY_OID, EC_KEY_OID[:-1] + b"\x7f")


@given(bundles, bundles, bundles)
def test_a_union_of_bundles_is_a_union_of_sets(one: Bundle, two: Bundle, three: Bundle) -> None:
    """
    Bundles give the same bytes in any order and after any number of unions.
    """
    assert one.union(two) == two.union(one)
    assert one.union(two).union(three) == one.union(two.union(three))
    assert one.union(one) == one
    assert set(one.union(two).authorities) == {*one.authorities, *two.authorities}


@given(bundles)
def test_a_bundle_is_read_as_it_was_written(bundle: Bundle) -> None:
    """
    Rendering and parsing lose nothing, and what we wrote ourselves is tidy.
    """
    assert Bundle.parse(bundle.render()) == bundle


@given(st.permutations(TRUSTED))
def test_the_oldest_authority_is_first_in_any_order(authorities: list[TrustedAuthority]) -> None:
    """
    The order depends on the authorities alone, so rotators do not undo each other's writes.
    """
    bundle = Bundle.of(authorities)

    assert bundle == Bundle.of(TRUSTED)
    assert [one.not_before for one in bundle.authorities] == sorted(one.not_before for one in TRUSTED)


@given(st.lists(st.sampled_from([one.pem for one in TRUSTED]), max_size=3), st.binary(max_size=40))
def test_text_between_authorities_is_skipped_and_makes_a_bundle_not_canonical(blocks: list[bytes], junk: bytes) -> None:
    """
    Junk and duplicates cost no authority its trust, and they make the bundle untidy.
    """
    bundle = Bundle.parse(junk.join([b"", *blocks, b""]))

    assert bundle.render() == Bundle.parse(b"".join(blocks)).render()
    assert bundle.is_canonical == (not junk.strip() and len(set(blocks)) == len(blocks))


@given(st.binary(max_size=400), st.integers(0, 700), st.integers(0, 255))
def test_any_text_can_be_read_as_a_bundle(junk: bytes, place: int, octet: int) -> None:
    """
    Any bytes, and any authority with one octet changed or cut off at any place, are read as something.
    """
    text = bytearray(TRUSTED[0].pem)
    text[place % len(text)] = octet

    assert Bundle.parse(junk).authorities == ()
    assert len(Bundle.parse(bytes(text)).authorities) <= 1
    assert Bundle.parse(TRUSTED[0].pem[:place]).authorities in {(), (TRUSTED[0],)}


def test_a_truncated_authority_is_skipped() -> None:
    """
    A block that breaks off costs neither the one before it nor the one behind it.
    """
    text = TRUSTED[0].pem + TRUSTED[1].pem[:200] + TRUSTED[2].pem

    bundle = Bundle.parse(text)

    assert bundle == Bundle((TRUSTED[0], TRUSTED[2]), is_canonical=False)


def test_a_bundle_above_64_kib_is_invalid() -> None:
    """
    A parser never sees a longer text.
    """
    assert Bundle.parse(TRUSTED[0].pem + b"\n" * 65536) == Bundle((), is_canonical=False)


def test_an_authority_without_a_positive_serial_number_is_skipped() -> None:
    """
    A certificate for which cryptography warns (RFC 5280 section 4.1.2.2) is not trusted, and does not stop the rotator.
    """
    der = bytearray(TRUSTED[0].certificate.public_bytes(serialization.Encoding.DER))
    length = TRUSTED[0].certificate.serial_number.bit_length() // 8 + 1
    at = der.index(TRUSTED[0].certificate.serial_number.to_bytes(length, "big"))
    der[at] = 0x80  # the sign bit
    pem = b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(bytes(der)) + b"-----END CERTIFICATE-----\n"

    assert Bundle.parse(pem) == Bundle((), is_canonical=False)


def test_a_leaf_in_a_bundle_is_not_trusted() -> None:
    """
    A serving certificate in a bundle is ignored.
    """
    leaf = MINTED[0].sign(NAMES, NOW)

    assert Bundle.parse(leaf.certificate) == Bundle((), is_canonical=False)


@pytest.mark.parametrize(("keep", "left"), [((), 3), ((EXPIRED,), 4)])
def test_expired_authorities_are_removed_unless_kept(keep: tuple[TrustedAuthority, ...], left: int) -> None:
    """
    An expired authority goes, unless it signed what is being served; one of tomorrow stays.
    """
    bundle = Bundle.of(TRUSTED).without_expired(NOW, keep)

    assert len(bundle.authorities) == left
    assert (EXPIRED in bundle) == bool(keep)


def test_an_authority_knows_what_it_signed() -> None:
    """
    Name and signature decide; a foreign authority has signed nothing.
    """
    leaf = x509.load_pem_x509_certificate(MINTED[0].sign(NAMES, NOW).certificate)

    assert [one.has_signed(leaf) for one in TRUSTED] == [True, False, False, False]


def test_text_around_an_authority_is_removed_by_the_next_write() -> None:
    """
    A bundle with text before, between or after its authorities is untidy, and is rendered without that text.
    """
    one, two = sorted((TRUSTED[0].pem, TRUSTED[2].pem), key=lambda pem: Bundle.parse(pem).authorities[0].not_before)

    for text in (b"junk\n" + one + two, one + b"junk\n" + two, one + two + b"junk\n"):
        bundle = Bundle.parse(text)

        assert not bundle.is_canonical
        assert bundle.render() == one + two
        assert Bundle.parse(bundle.render()).is_canonical


def test_a_bundle_of_64_kib_is_read() -> None:
    """
    A text of exactly 64 KiB is parsed.
    """
    text = TRUSTED[0].pem.ljust(MAX_PEM_BYTES)

    assert Bundle.parse(text) == Bundle((TRUSTED[0],))


@pytest.mark.parametrize(
    "make",
    [
        without_constraints,
        with_a_duplicate_extension,
        with_a_general_name_of_an_unsupported_type,
        with_a_key_of_an_unsupported_algorithm,
    ],
    ids=lambda make: make.__name__,
)
def test_a_certificate_that_is_not_an_authority_is_skipped(make: Callable[[], bytes]) -> None:
    """
    A certificate that parses as DER but cannot act as an authority is ignored; the authority next to it is kept.
    """
    assert Bundle.parse(make() + TRUSTED[0].pem) == Bundle((TRUSTED[0],), is_canonical=False)


def test_a_certificate_that_a_later_release_refuses_is_skipped_with_any_warning_filter() -> None:
    """
    A serial number of 0 makes a certificate invalid also where deprecation warnings are ignored.
    """
    serial = bytes.fromhex("020101300a0608")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        bundle = Bundle.parse(pem_of(unusual(CA), serial, b"\2\1\0" + serial[3:]))

    assert bundle == Bundle((), is_canonical=False)


def test_an_authority_whose_key_cannot_verify_has_signed_nothing() -> None:
    """
    An authority with an X25519 key is read, and is not the issuer of any certificate.
    """
    key = x25519.X25519PrivateKey.generate().public_key()
    (authority,) = Bundle.parse(pem_of(unusual(CA, key=key))).authorities

    assert not authority.has_signed(unusual(CA))


def test_an_authority_is_valid_from_its_first_to_its_last_second() -> None:
    """
    Both ends of the validity period belong to it (RFC 5280 section 4.1.2.5).
    """
    authority, second = TRUSTED[0], timedelta(seconds=1)
    first, last = authority.not_before, authority.not_after

    assert [authority.is_valid(at) for at in (first - second, first, last, last + second)] == [False, True, True, False]
    assert [authority.is_expired(at) for at in (first - second, first, last, last + second)] == [False] * 3 + [True]
