"""certs.bundle: one set of authorities is one text, and any text is some set of authorities."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st

from certs.authority import CertificateAuthority
from certs.bundle import Bundle, TrustedAuthority
from tests.certs.world import NAMES, NOW

MINTED = [CertificateAuthority.mint(NOW + timedelta(days=days), timedelta(days=10)) for days in (0, 0, 5, -20)]
TRUSTED = [TrustedAuthority(one.certificate) for one in MINTED]
EXPIRED = TRUSTED[3]
bundles = st.lists(st.sampled_from(TRUSTED)).map(Bundle.of)


@given(bundles, bundles, bundles)
def test_union_is_that_of_sets(one: Bundle, two: Bundle, three: Bundle) -> None:
    """
    Whoever joins bundles, in whatever order and however often, gets the same bytes.
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
def test_the_oldest_comes_first_whatever_the_order_given(authorities: list[TrustedAuthority]) -> None:
    """
    The order depends on the authorities alone, so rotators do not undo each other's writes.
    """
    bundle = Bundle.of(authorities)

    assert bundle == Bundle.of(TRUSTED)
    assert [one.not_before for one in bundle.authorities] == sorted(one.not_before for one in TRUSTED)


@given(st.lists(st.sampled_from([one.pem for one in TRUSTED]), max_size=3), st.binary(max_size=40))
def test_junk_between_authorities_is_skipped_and_told(blocks: list[bytes], junk: bytes) -> None:
    """
    Junk and duplicates cost no authority its trust, and they make the bundle untidy.
    """
    bundle = Bundle.parse(junk.join([b"", *blocks, b""]))

    assert bundle.render() == Bundle.parse(b"".join(blocks)).render()
    assert bundle.is_tidy == (not junk.strip() and len(set(blocks)) == len(blocks))


@given(st.binary(max_size=400), st.integers(0, 700), st.integers(0, 255))
def test_no_text_whatever_makes_reading_fail(junk: bytes, place: int, octet: int) -> None:
    """
    Any bytes, and any authority with one octet changed or cut off at any place, are read as something.
    """
    text = bytearray(TRUSTED[0].pem)
    text[place % len(text)] = octet

    assert Bundle.parse(junk).authorities == ()
    assert len(Bundle.parse(bytes(text)).authorities) <= 1
    assert Bundle.parse(TRUSTED[0].pem[:place]).authorities in {(), (TRUSTED[0],)}


def test_half_an_authority_is_none() -> None:
    """
    A block that breaks off costs neither the one before it nor the one behind it.
    """
    text = TRUSTED[0].pem + TRUSTED[1].pem[:200] + TRUSTED[2].pem

    bundle = Bundle.parse(text)

    assert bundle == Bundle((TRUSTED[0], TRUSTED[2]), is_tidy=False)


def test_more_than_64_kib_is_all_junk() -> None:
    """
    A parser never sees a longer text.
    """
    assert Bundle.parse(TRUSTED[0].pem + b"\n" * 65536) == Bundle((), is_tidy=False)


def test_a_serial_number_that_is_not_positive_is_junk() -> None:
    """
    What cryptography reads under protest (RFC 5280 section 4.1.2.2) is not trusted, and does not stop the rotator.
    """
    der = bytearray(TRUSTED[0].certificate.public_bytes(serialization.Encoding.DER))
    length = TRUSTED[0].certificate.serial_number.bit_length() // 8 + 1
    at = der.index(TRUSTED[0].certificate.serial_number.to_bytes(length, "big"))
    der[at] = 0x80  # the sign bit
    pem = b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(bytes(der)) + b"-----END CERTIFICATE-----\n"

    assert Bundle.parse(pem) == Bundle((), is_tidy=False)


def test_a_leaf_is_no_authority() -> None:
    """
    Nobody is trusted for a serving certificate that slipped into the bundle.
    """
    leaf = MINTED[0].sign(NAMES, NOW)

    assert Bundle.parse(leaf.certificate) == Bundle((), is_tidy=False)


@pytest.mark.parametrize(("keep", "left"), [((), 3), ((EXPIRED,), 4)])
def test_the_expired_are_dropped_unless_kept(keep: tuple[TrustedAuthority, ...], left: int) -> None:
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
