"""certs.check: one line about each file, with the invalid value."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from certs import dev
from certs.authority import CertificateAuthority, KeyPair
from certs.check import check
from tests.certs.world import NAMES, NOW

DAY = timedelta(days=1)
AUTHORITY = CertificateAuthority.mint(NOW)
LEAF = AUTHORITY.sign(NAMES, NOW)


def write(folder: Path, stem: str, pair: KeyPair) -> Path:
    (folder / f"{stem}.key").write_bytes(pair.key)
    path = folder / f"{stem}.crt"
    path.write_bytes(pair.certificate)
    return path


def lines(*paths: Path, **options: object) -> list[str]:
    now = options.pop("now", NOW)
    findings = check(paths, now, **options)  # type: ignore[arg-type]
    return [f"{'good' if one.is_good else 'bad'} {one.path.name}: {one.text}" for one in findings]


def test_a_good_folder_has_two_good_lines(tmp_path: Path) -> None:
    """
    The certificates of ``dev`` are good, and the lines show until when.
    """
    dev.ensure(tmp_path, NOW)

    assert lines(tmp_path) == [
        "good ca.crt: signs until 2027-03-01 12:00:00 UTC; renewal is due 2026-10-30 20:00:00 UTC",
        (
            "good tls.crt: serves localhost, 127.0.0.1, ::1 until 2026-03-08 12:00:00 UTC; "
            "renewal is due 2026-03-06 04:00:00 UTC"
        ),
    ]


def test_a_mounted_secret_is_checked_without_the_authoritys_key(tmp_path: Path) -> None:
    """
    ``ca.crt`` in the serving Secret has no key. It is trusted, and nothing is signed with it.
    """
    write(tmp_path, "tls", LEAF)
    (tmp_path / "ca.crt").write_bytes(AUTHORITY.pair.certificate)

    assert lines(tmp_path, names=NAMES, now=NOW + 5 * DAY) == [
        "good ca.crt: trusts 1 CA until 2027-03-01 12:00:00 UTC",
        (
            "good tls.crt: serves migratable.webhooks.svc until 2026-03-08 12:00:00 UTC; "
            "renewal was due 2026-03-06 04:00:00 UTC"
        ),
    ]


@pytest.mark.parametrize(
    ("pair", "line"),
    [
        (KeyPair(b"", b""), "bad tls.crt: the certificate is missing"),
        (KeyPair(LEAF.certificate, AUTHORITY.pair.key), "bad tls.crt: the private key belongs to another certificate"),
        (AUTHORITY.sign(NAMES, NOW - 30 * DAY), "bad tls.crt: expired since 2026-02-06 12:00:00 UTC"),
        (AUTHORITY.sign(NAMES, NOW + DAY), "bad tls.crt: not yet valid: valid from 2026-03-02 11:00:00 UTC"),
        (
            AUTHORITY.sign(("other.svc",), NOW),
            "bad tls.crt: its names differ from the required names: its names are other.svc",
        ),
        (CertificateAuthority.mint(NOW).sign(NAMES, NOW), "bad tls.crt: it is not signed by a known CA"),
    ],
)
def test_the_line_of_an_invalid_leaf_has_the_wrong_value(tmp_path: Path, pair: KeyPair, line: str) -> None:
    """
    The line says what is wrong and, where there is one, the value.
    """
    path = write(tmp_path, "tls", pair)
    authority = tmp_path / "trusted.pem"
    authority.write_bytes(AUTHORITY.pair.certificate)

    assert lines(path, names=NAMES, authorities=[authority]) == [line]


def test_a_bundle_without_a_valid_authority_or_with_other_text_is_bad(tmp_path: Path) -> None:
    """
    A caBundle saved to a file is checked as such.
    """
    path = tmp_path / "bundle.pem"
    path.write_bytes(CertificateAuthority.mint(NOW - 500 * DAY).pair.certificate + b"note")

    assert lines(path) == [
        "bad bundle.pem: it contains no valid CA; it contains text other than CA certificates, or a duplicate CA"
    ]


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_a_missing_certificate_is_an_error(tmp_path: Path, name: str) -> None:
    """
    No file, or a folder without certificates, is never taken for good.
    """
    (tmp_path / "empty").mkdir()

    with pytest.raises(FileNotFoundError):
        lines(tmp_path / name)
