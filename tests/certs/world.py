"""A cluster in memory for the rotator: Secrets, webhook configurations, and API servers and replicas that are late."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TypeVar

from certs.authority import CertificateAuthority, KeyPair
from certs.bundle import Bundle, TrustedAuthority
from certs.cluster import (
    ClusterError,
    Configuration,
    ConfigurationName,
    Conflict,
    Missing,
    Refused,
    Secret,
)
from certs.inspection import Damage, find_issuer, inspect_authority, inspect_leaf, read_certificate
from certs.plan import Idle, Terms, Wait
from certs.rotator import Rotator, Settings

T = TypeVar("T")

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAMES = ("migratable.webhooks.svc",)
VALIDATING = ConfigurationName("validatingwebhookconfigurations", "migratable")
MUTATING = ConfigurationName("mutatingwebhookconfigurations", "migratable")
WEBHOOKS = {VALIDATING: ("validate.migratable.io", "hotplug.migratable.io"), MUTATING: ("default.migratable.io",)}
TERMS = Terms(NAMES)
SETTINGS = Settings(TERMS, "authority", "serving", (VALIDATING, MUTATING))


@dataclass
class FakeClock:
    """A wall clock that can be made to jump, and one beside it that cannot."""

    wall: datetime = NOW
    seconds: float = 0.0

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.seconds

    def advance(self, span: timedelta) -> None:
        self.wall += span
        self.seconds += span.total_seconds()


@dataclass
class FakeCluster:
    """Compares versions as Kubernetes does; hooks see each call before it and each write after it."""

    secrets: dict[str, tuple[Mapping[str, bytes], int] | None] = field(default_factory=dict)
    bundles: dict[ConfigurationName, tuple[Mapping[str, bytes], int]] = field(default_factory=dict)
    before: Callable[[str], None] = lambda call: None
    after_write: Callable[[str], None] = lambda call: None
    spread: Callable[[], bool] = lambda: True
    creates_secrets: bool = False
    lock: threading.RLock = field(default_factory=threading.RLock)

    @classmethod
    def installed(cls) -> FakeCluster:
        """As an installation leaves it: Secrets and caBundles are there, and empty."""
        bundles = {name: (dict.fromkeys(webhooks, b""), 1) for name, webhooks in WEBHOOKS.items()}
        return cls({"authority": ({}, 1), "serving": ({}, 1)}, dict(bundles))

    def read_secret(self, name: str) -> Secret:
        self.before(f"read {name}")
        with self.lock:
            stored = self.secrets[name]
            return Secret(name) if stored is None else Secret(name, dict(stored[0]), str(stored[1]))

    def write_secret(self, secret: Secret, data: Mapping[str, bytes]) -> None:
        self.before(f"write {secret.name}")
        with self.lock:
            stored = self.secrets[secret.name]
            if stored is None and not self.creates_secrets:
                raise Missing(secret.name, "Create it.")
            if secret.version is None:
                if stored is None:
                    self.put_secret(secret.name, {})
                raise Conflict(secret.name, "Again.")
            if stored is None or str(stored[1]) != secret.version:
                raise Conflict(secret.name, "Again.")
            self.put_secret(secret.name, data)
            self.after_write(secret.name)

    def read_configuration(self, name: ConfigurationName) -> Configuration | None:
        self.before(f"read {name.resource}")
        with self.lock:
            if name not in self.bundles:
                return None
            bundles, version = self.bundles[name]
            return Configuration(name, dict(bundles), str(version), str(version))

    def has_spread(self, configuration: Configuration) -> bool:
        self.before(f"ask about {configuration.name.resource}")
        return self.spread()

    def write_bundles(self, configuration: Configuration, bundles: Mapping[str, bytes]) -> None:
        self.before(f"write {configuration.name.resource}")
        with self.lock:
            stored, version = self.bundles[configuration.name]
            if str(version) != configuration.version:
                raise Conflict(configuration.name.name, "Again.")
            self.put_bundles(configuration.name, {**stored, **bundles})
            self.after_write(configuration.name.resource)

    def put_secret(self, name: str, data: Mapping[str, bytes]) -> None:
        """Writes without a check of the version, as another client."""
        stored = self.secrets[name]
        self.secrets[name] = (dict(data), 1 if stored is None else stored[1] + 1)

    def put_bundles(self, name: ConfigurationName, bundles: Mapping[str, bytes]) -> None:
        """Writes without a check of the version, as another client."""
        self.bundles[name] = (dict(bundles), self.bundles[name][1] + 1 if name in self.bundles else 1)

    def pair(self, name: str) -> KeyPair:
        stored = self.secrets[name]
        data = {} if stored is None else stored[0]
        return KeyPair(data.get("tls.crt", b""), data.get("tls.key", b""))

    def trusted(self) -> list[Bundle]:
        """The authorities in the caBundle of each webhook."""
        return [Bundle.parse(text) for bundles, _ in self.bundles.values() for text in bundles.values()]


def spare_authority(now: datetime = NOW) -> CertificateAuthority:
    return CertificateAuthority.mint(now, timedelta(days=365))


def secret_data(pair: KeyPair, issuer: bytes | None = None) -> dict[str, bytes]:
    data = {"tls.crt": pair.certificate, "tls.key": pair.key}
    return data if issuer is None else {**data, "ca.crt": issuer}


def damaged(kind: str, pair: KeyPair, now: datetime, *, authority: bool) -> KeyPair:
    """Damage a pair in one of the ways of :data:`DAMAGES`."""
    later, earlier = now + timedelta(days=40), now - timedelta(days=800)
    other = CertificateAuthority.mint(now)
    new = (lambda at: CertificateAuthority.mint(at).pair) if authority else (lambda at: other.sign(NAMES, at))
    match kind:
        case "empty":
            return KeyPair(b"", b"")
        case "half":
            return KeyPair(pair.certificate[: len(pair.certificate) // 2], pair.key)
        case "foreign key":
            return KeyPair(pair.certificate, new(now).key)
        case "no key":
            return KeyPair(pair.certificate, b"")
        case "expired":
            return new(earlier)
        case "not yet valid":
            return new(later)
        case "wrong kind":
            return other.sign(("elsewhere.svc",), now)
        case "junk":
            return KeyPair(b"\xff" * (1 << 20), b"\x00junk")
        case "two":
            return KeyPair(pair.certificate + other.pair.certificate, pair.key)
        case _:
            raise AssertionError(kind)


DAMAGES = ("empty", "half", "foreign key", "no key", "expired", "not yet valid", "wrong kind", "junk", "two")
BUNDLE_DAMAGES = ("empty", "half", "foreign", "junk", "expired", "doubled", "stuffed")


def damaged_bundle(kind: str, text: bytes, now: datetime) -> bytes:
    """Damage a caBundle in one of the ways of :data:`BUNDLE_DAMAGES`."""
    match kind:
        case "empty":
            return b""
        case "half":
            return text[: len(text) // 2]
        case "foreign":
            return spare_authority(now).pair.certificate
        case "junk":
            return b"junk" * (1 << 18)
        case "expired":
            return CertificateAuthority.mint(now - timedelta(days=800)).pair.certificate
        case "doubled":
            return text + b"# a note\n" + text
        case "stuffed":
            return text + b"".join(_stuffing())
        case _:
            raise AssertionError(kind)


def _stuffing() -> tuple[bytes, ...]:
    """Authorities enough to fill what is ever parsed, made once."""
    if not _STUFFING:
        _STUFFING.extend(spare_authority().pair.certificate for _ in range(102))
    return tuple(_STUFFING)


_STUFFING: list[bytes] = []


@dataclass
class World:
    """Two API servers that see a caBundle late, two replicas that load a leaf late, and two rotators."""

    clock: FakeClock = field(default_factory=FakeClock)
    cluster: FakeCluster = field(default_factory=FakeCluster.installed)
    settings: Settings = SETTINGS
    rotators: list[Rotator] = field(default_factory=list)
    trusted_since: list[tuple[float, tuple[bytes, ...]]] = field(default_factory=list)
    loaded_since: list[tuple[float, bytes]] = field(default_factory=list)
    calls_until_fault: int = 0
    """0 for none."""
    slow_api: timedelta = timedelta()
    slow_replica: timedelta = timedelta()
    """How late one API server and one replica are that can be asked, beside those that keep the settle times."""

    def __post_init__(self) -> None:
        self.cluster.before = self._fault
        self.cluster.after_write = lambda _: self.note()
        self.cluster.spread = lambda: self._trusted(self.slow_api) == self.trusted_since[-1][1]
        self.rotators = [Rotator(self.cluster, self.settings, self.clock, self) for _ in range(2)]
        self.note()

    def served(self) -> dict[str, bytes]:
        """The certificate that the slow replica serves."""
        return {"192.0.2.7": self._loaded(self.slow_replica)}

    def healthy(self) -> World:
        """Install the certificates, and let everybody see them."""
        assert self.work()
        self.clock.advance(timedelta(hours=1))
        assert not self.refused_handshakes()
        return self

    def crash(self, which: int) -> None:
        """Start a rotator anew, without its memory."""
        self.rotators[which] = Rotator(self.cluster, self.settings, self.clock, self)

    def damage_secret(self, name: str, kind: str) -> None:
        """Damage the pair in a Secret; its ``ca.crt`` goes with it when all goes."""
        pair = damaged(kind, self.cluster.pair(name), self.clock.now(), authority=name == "authority")
        stored = self.cluster.secrets[name]
        issuer = None if stored is None or kind == "empty" else stored[0].get("ca.crt")
        self.cluster.put_secret(name, secret_data(pair, issuer))
        self.note()

    def damage_bundles(self, kind: str) -> None:
        """Damage every caBundle of the validating configuration."""
        bundles, _ = self.cluster.bundles[VALIDATING]
        now = self.clock.now()
        self.cluster.put_bundles(VALIDATING, {name: damaged_bundle(kind, text, now) for name, text in bundles.items()})
        self.note()

    def note(self) -> None:
        """Record how things stand; API servers and replicas see it after their lag."""
        moment = self.clock.monotonic()
        texts = tuple(text for bundles, _ in self.cluster.bundles.values() for text in bundles.values())
        if not self.trusted_since or self.trusted_since[-1][1] != texts:
            self.trusted_since.append((moment, texts))
        pair = self.cluster.pair("serving")
        if self.loaded_since and self.loaded_since[-1][1] == pair.certificate:
            return
        # a replica loads what it could serve and keeps what it has otherwise; who signed it, it cannot judge
        if set(inspect_leaf(pair, self.clock.now(), NAMES).damage) <= {Damage.UNKNOWN_ISSUER}:
            self.loaded_since.append((moment, pair.certificate))

    def refused_handshakes(self) -> list[str]:
        """Name each API server and replica that could not talk to each other now."""
        terms, now = self.settings.terms, self.clock.now()
        refused = []
        for api_lag in {timedelta(), terms.bundle_settle * 0.9, self.slow_api}:
            texts = self._trusted(api_lag)
            for replica_lag in {timedelta(), terms.leaf_settle * 0.9, self.slow_replica}:
                leaf = self._loaded(replica_lag)
                if not all(accepts(text, leaf, now) for text in texts):
                    refused.append(f"API server {api_lag} late, replica {replica_lag} late")
        return refused

    def _trusted(self, lag: timedelta) -> tuple[bytes, ...]:
        return _seen(self.trusted_since, self.clock.monotonic() - lag.total_seconds())

    def _loaded(self, lag: timedelta) -> bytes:
        return _seen(self.loaded_since, self.clock.monotonic() - lag.total_seconds())

    def uncovered(self) -> list[str]:
        """Name each caBundle that lacks the authority of the leaf in the Secret, if a replica would load that leaf."""
        pair = self.cluster.pair("serving")
        if not set(inspect_leaf(pair, self.clock.now(), NAMES).damage) <= {Damage.UNKNOWN_ISSUER}:
            return []
        texts = self.trusted_since[-1][1]
        return [f"caBundle {n}" for n, text in enumerate(texts) if _issuer(text, pair.certificate) is None]

    def work(self, which: int = 0, steps: int = 60, tick: Callable[[], None] = lambda: None) -> bool:
        """Let a rotator work, and time pass when it waits, until it rests; False if it never does."""
        for _ in range(steps):
            try:
                step = self.rotators[which].step()
            except ClusterError:
                continue
            finally:
                tick()
            if isinstance(step, Idle):
                return True
            if isinstance(step, Wait):
                self.clock.advance(max(step.remaining / 2, timedelta(seconds=1)))
                tick()
        return False

    def trusts_alone(self) -> bool:
        """Whether every caBundle holds the authority, tidily, and nothing else."""
        own = Bundle.parse(self.cluster.pair("authority").certificate)
        return len(own.authorities) == 1 and all(bundle == own for bundle in self.cluster.trusted())

    def _fault(self, call: str) -> None:
        if self.calls_until_fault:
            self.calls_until_fault -= 1
            if not self.calls_until_fault:
                raise Refused(call, "Try again.")


def _seen(history: list[tuple[float, T]], until: float) -> T:
    return next((thing for moment, thing in reversed(history) if moment <= until), history[0][1])


@lru_cache(maxsize=4096)
def _issuer(text: bytes, leaf: bytes) -> tuple[datetime, datetime] | None:
    """Between which dates both the leaf and its authority in the caBundle hold; None without an authority."""
    certificate = read_certificate(leaf)
    assert not isinstance(certificate, Damage)
    issuer = find_issuer(certificate, Bundle.parse(text).authorities)
    if issuer is None:
        return None
    return (
        max(issuer.not_before, certificate.not_valid_before_utc),
        min(issuer.not_after, certificate.not_valid_after_utc),
    )


def accepts(text: bytes, leaf: bytes, now: datetime) -> bool:
    """Whether an API server with this caBundle accepts this leaf now."""
    dates = _issuer(text, leaf)
    return dates is not None and dates[0] <= now <= dates[1]


def authority_of(pair: KeyPair) -> TrustedAuthority:
    return Bundle.parse(pair.certificate).authorities[0]


def is_good(world: World) -> bool:
    """Whether both pairs are good and belong together."""
    authority, leaf = world.cluster.pair("authority"), world.cluster.pair("serving")
    now = world.clock.now()
    if not inspect_authority(authority, now).is_good:
        return False
    return inspect_leaf(leaf, now, NAMES, (authority_of(authority),)).is_good
