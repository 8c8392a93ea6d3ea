"""webhook.serve.tls: the server follows the files of a mounted Secret, and keeps the last valid pair."""

import asyncio
import logging
import shutil
import ssl
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from certs.authority import CertificateAuthority, KeyPair
from tests.apiserver import pki
from tests.certs.world import FakeClock
from tests.serve.pairs import AUTHORITY, DAY, NAME, NOW, STRANGER, put, put_pair, shake_hands, sign, trust
from webhook.errors import Misconfigured
from webhook.serve.tls import Certificates

TRUSTING = trust(AUTHORITY)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a good pair."""
    put_pair(tmp_path / "tls", sign())
    return tmp_path / "tls"


def served(certificates: Certificates, client: ssl.SSLContext = TRUSTING) -> bytes:
    """The certificate of a new handshake, which the client has verified."""
    return shake_hands(certificates.listening, client).encode()


def test_a_new_pair_is_served_from_the_next_handshake_on(folder: Path) -> None:
    """
    A renewed leaf is taken up without a restart, and told as a change once.
    """
    certificates = Certificates(folder)
    new = put_pair(folder, sign())

    looks = [certificates.refresh(), certificates.refresh()]

    assert looks == [True, False]
    assert served(certificates) == certificates.certificate == new.certificate
    assert not certificates.is_stale


def test_a_pair_of_a_new_authority_is_served(folder: Path) -> None:
    """
    A change of authority keeps the names, which is how it is told from somebody else's certificate.
    """
    certificates = Certificates(folder)
    new = put_pair(folder, sign(STRANGER))

    assert certificates.refresh()
    assert served(certificates, trust(STRANGER)) == new.certificate


def test_a_pair_with_other_names_of_the_same_authority_is_served(folder: Path) -> None:
    """
    A Service that was renamed is served under its new name.
    """
    certificates = Certificates(folder)
    new = put_pair(folder, sign(name="other.migratable.svc"))

    assert certificates.refresh()
    assert shake_hands(certificates.listening, TRUSTING, "other.migratable.svc").encode() == new.certificate


def test_a_chain_is_served_by_its_first_certificate(folder: Path) -> None:
    """
    cert-manager puts intermediate authorities behind the leaf.
    """
    certificates = Certificates(folder)
    new = sign()
    put(folder, new.certificate + STRANGER.pair.certificate, new.key)

    assert certificates.refresh()
    assert served(certificates) == new.certificate


def kubelet_swap(folder: Path, pair: KeyPair, generation: str) -> None:
    """Put a pair in place as kubelet's AtomicWriter does: a new folder, and one rename of the link to it."""
    data = folder / f"..{generation}"
    put_pair(data, pair)
    for name in ("tls.crt", "tls.key"):
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"..data/{name}")
    (folder / "..new").symlink_to(data.name)
    (folder / "..new").rename(folder / "..data")


def test_a_swap_of_files_by_the_kubelet_is_detected(tmp_path: Path) -> None:
    """
    The kubelet replaces a symbolic link two levels above the files. The files themselves do not show the change.
    """
    kubelet_swap(tmp_path, sign(), "first")
    certificates = Certificates(tmp_path)
    new = sign()
    kubelet_swap(tmp_path, new, "second")

    assert certificates.refresh()
    assert served(certificates) == new.certificate


GOOD, OTHER = sign(), sign()
OLD = CertificateAuthority.mint(NOW - 300 * DAY)
Damage = Callable[[Path], object]

DAMAGES: dict[str, tuple[Damage, str]] = {
    "gone": (shutil.rmtree, "tls.crt: no such file or directory"),
    "no certificate": (lambda at: put(at, None, GOOD.key), "tls.crt: no such file or directory"),
    "no key": (lambda at: put(at, GOOD.certificate, None), "tls.key: no such file or directory"),
    "empty": (lambda at: put(at, b"", b""), "tls.crt contains no readable certificate"),
    "half": (lambda at: put(at, GOOD.certificate[:300], GOOD.key), "tls.crt contains no readable certificate"),
    "half a key": (lambda at: put(at, GOOD.certificate, GOOD.key[:100]), "tls.crt and tls.key do not match"),
    "foreign key": (lambda at: put(at, GOOD.certificate, OTHER.key), "tls.crt and tls.key do not match"),
    "junk": (lambda at: put(at, b"\xff" * (1 << 20), GOOD.key), "tls.crt is longer than 64 KiB"),
    "junk for a key": (lambda at: put(at, GOOD.certificate, b"k" * (1 << 20)), "tls.key is longer than 64 KiB"),
    "expired": (lambda at: put_pair(at, sign(OLD, at=NOW - 200 * DAY)), "it is expired"),
    "not yet valid": (lambda at: put_pair(at, sign(at=NOW + 40 * DAY)), "it is not yet valid"),
    "a stranger's": (
        lambda at: put_pair(at, sign(STRANGER, name="elsewhere.svc")),
        "neither its names nor its issuer match the serving certificate",
    ),
    "a folder": (lambda at: [put(at, None, GOOD.key), (at / "tls.crt").mkdir()], "tls.crt: is a directory"),
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_an_invalid_pair_is_not_served(folder: Path, kind: str) -> None:
    """
    Whatever happens to the folder, the last valid pair is served and the problem is logged, until a valid pair arrives.
    """
    certificates = Certificates(folder)
    before = certificates.certificate
    damage, problem = DAMAGES[kind]

    damage(folder)
    looks = [certificates.refresh(), certificates.refresh()]

    assert looks == [False, False]
    assert served(certificates) == before
    assert problem in certificates.problem
    assert certificates.is_stale

    shutil.rmtree(folder, ignore_errors=True)
    healed = put_pair(folder, sign())

    assert certificates.refresh()
    assert served(certificates) == healed.certificate
    assert not certificates.is_stale


def test_restoring_the_old_pair_ends_the_problem(folder: Path) -> None:
    """
    A folder that is mounted again with its old content needs no new certificate.
    """
    certificates = Certificates(folder)
    kept = [(folder / name).read_bytes() for name in ("tls.crt", "tls.key")]
    shutil.rmtree(folder)
    certificates.refresh()

    folder.mkdir()
    put(folder, *kept)

    assert not certificates.refresh()
    assert not certificates.is_stale


@pytest.mark.parametrize("kind", ["expired", "not yet valid", "a stranger's"])
def test_a_new_pair_is_served_if_the_old_one_is_invalid_too(folder: Path, kind: str) -> None:
    """
    With a wrong clock, the served certificate looks as invalid as the new one, and the issuer of the new one may be
    right.
    """
    clock = FakeClock(NOW)
    certificates = Certificates(folder, now=clock.now)
    clock.wall = NOW + 400 * DAY
    DAMAGES[kind][0](folder)

    assert certificates.refresh()


def test_a_new_pair_is_served_with_a_clock_that_is_a_day_late(folder: Path) -> None:
    """
    Rotation retires the old authority within minutes, so a slow clock must not keep the old leaf in use.
    """
    clock = FakeClock(NOW)
    certificates = Certificates(folder, now=clock.now)
    clock.wall = NOW - timedelta(minutes=30)
    put_pair(folder, sign(at=clock.wall + timedelta(hours=24)))

    assert certificates.refresh()


def test_a_missing_renewal_is_logged(folder: Path) -> None:
    """
    A read-only folder has a valid pair for days. The missing renewal is logged at the latest after five sixths of its
    lifetime.
    """
    clock = FakeClock(NOW)
    certificates = Certificates(folder, now=clock.now)
    told = []

    for days in (0, 4.7, 5.7, 5.9, 8):
        clock.wall = NOW + days * DAY
        certificates.refresh()
        told.append(certificates.problem)

    assert told == ["", "", "", *["the certificate is due for renewal and has not been replaced"] * 2]


def test_a_pair_that_changes_while_it_is_read_is_not_served(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    OpenSSL reads the files itself. Its result is served only if the checked files are the same.
    """
    certificates = Certificates(folder)
    before = certificates.certificate
    put_pair(folder, sign())
    make = certificates._context

    def swapped_meanwhile() -> ssl.SSLContext:
        put_pair(folder, OTHER)
        return make()

    monkeypatch.setattr(certificates, "_context", swapped_meanwhile)
    looks = [certificates.refresh()]
    during = served(certificates)
    monkeypatch.undo()
    looks.append(certificates.refresh())

    assert looks == [False, True]
    assert during == before
    assert served(certificates) == OTHER.certificate


def test_a_connection_survives_the_swap(folder: Path) -> None:
    """
    API servers keep connections. A connection from before the swap continues to work.
    """
    certificates = Certificates(folder)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = TRUSTING.wrap_bio(to_client, to_server, server_hostname=NAME)
    server = certificates.listening.wrap_bio(to_server, to_client, server_side=True)
    for end in (client, server, client, server):
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            continue

    put_pair(folder, sign(STRANGER))
    assert certificates.refresh()
    client.write(b"review")

    assert server.read(6) == b"review"


def test_a_client_is_asked_for_its_certificate_before_and_after_a_swap(folder: Path, tmp_path: Path) -> None:
    """
    The authority of client certificates is followed like the pair: a new one counts, the old one no longer.
    """
    first, second = pki.CertificateAuthority(), pki.CertificateAuthority()
    known, unknown = (holding(one, tmp_path) for one in (first, second))
    client_ca = tmp_path / "client-ca.crt"
    client_ca.write_bytes(first.cert_pem)
    certificates = Certificates(folder, client_ca)

    served(certificates, known)
    for client in (unknown, TRUSTING):
        with pytest.raises(ssl.SSLError):
            served(certificates, client)
    client_ca.write_bytes(second.cert_pem)
    assert certificates.refresh()
    served(certificates, unknown)
    with pytest.raises(ssl.SSLError):
        served(certificates, known)
    client_ca.write_bytes(b"junk")
    assert not certificates.refresh()
    assert certificates.problem == "client-ca.crt contains no CA certificate"
    served(certificates, unknown)


def holding(authority: pki.CertificateAuthority, folder: Path) -> ssl.SSLContext:
    """A client with a certificate of this authority."""
    client = trust(AUTHORITY)
    client.load_cert_chain(*authority.issue("kube-apiserver").write(folder, "client"))
    return client


@pytest.mark.parametrize("kind", ["gone", "empty", "half", "foreign key", "junk"])
def test_without_a_first_pair_the_server_does_not_start(folder: Path, kind: str) -> None:
    """
    There is nothing to serve from memory yet, so the reason is told, with what to do about it.
    """
    damage, problem = DAMAGES[kind]
    damage(folder)

    with pytest.raises(Misconfigured) as raised:
        Certificates(folder)

    assert raised.value.message.startswith(f"no usable tls.crt and tls.key in {folder}: {problem}")
    assert "certs dev" in raised.value.remedy


def test_an_expired_first_pair_is_served(tmp_path: Path) -> None:
    """
    The server starts with the expired pair, until the rotator replaces it.
    """
    pair = put_pair(tmp_path, sign(OLD, at=NOW - 200 * DAY))

    certificates = Certificates(tmp_path)

    assert certificates.certificate == pair.certificate


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
def test_old_protocols_are_refused(folder: Path) -> None:
    """
    TLS 1.2 is the least, and 1.3 is spoken with who can.
    """
    certificates = Certificates(folder)
    versions = {}

    for version in (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        client = trust(AUTHORITY)
        client.set_ciphers("DEFAULT:@SECLEVEL=0")
        client.minimum_version = client.maximum_version = version
        try:
            served(certificates, client)
        except ssl.SSLError:
            versions[version.name] = False
        else:
            versions[version.name] = True

    assert versions == {"TLSv1_1": False, "TLSv1_2": True, "TLSv1_3": True}


def test_a_wrong_name_is_refused_by_the_client(folder: Path) -> None:
    """
    The certificate is for the Service's name and none besides.
    """
    certificates = Certificates(folder)

    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        shake_hands(certificates.listening, TRUSTING, "migratable.elsewhere.svc")


def test_a_problem_is_logged_once_and_without_the_key(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """
    The check once a second must not fill the log. A problem is logged when it starts and when it ends.
    """
    certificates = Certificates(folder)
    with caplog.at_level(logging.INFO):
        for kind in DAMAGES:
            DAMAGES[kind][0](folder)
            certificates.refresh()
            certificates.refresh()
            shutil.rmtree(folder, ignore_errors=True)
            put_pair(folder, sign())
            certificates.refresh()

    messages = [record.getMessage() for record in caplog.records]
    assert messages.count("still serving the old certificate") == len(DAMAGES)
    assert messages.count("certificate problem resolved") == len(DAMAGES)
    assert not any("BEGIN" in str(vars(record)) for record in caplog.records)


def test_the_files_are_checked_until_following_stops(folder: Path) -> None:
    """
    Each check is reported, even if nothing changed, because metrics depend on it.
    """
    certificates = Certificates(folder, poll_seconds=0.001)
    put_pair(folder, OTHER)
    stopping = asyncio.Event()
    seen: list[bytes] = []

    def looked() -> None:
        seen.append(certificates.certificate)
        if len(seen) == 3:
            stopping.set()

    asyncio.run(asyncio.wait_for(certificates.follow(stopping, looked), 30))

    assert seen == [OTHER.certificate] * 3
