"""
Keeps the authority, the served leaf and every caBundle of a cluster in order, one planned step at a time.

Any number of rotators may run: each write names the resourceVersion that was read, so of two rivals one wins and the
other looks again. What is read first is written last: the leaf, then the caBundles, then the authority. So a leaf is
never signed by an authority that was retired meanwhile, and none is retired that was minted meanwhile.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from certs.authority import CertificateAuthority, KeyPair
from certs.bundle import Bundle
from certs.inventory import Inventory, Place, take_stock
from certs.plan import Idle, Mint, Publish, Retire, Sign, Step, Terms, Wait, plan

log = logging.getLogger(__name__)

CERTIFICATE_KEY: Final = "tls.crt"
PRIVATE_KEY_KEY: Final = "tls.key"
ISSUER_KEY: Final = "ca.crt"
INTERVAL: Final = timedelta(seconds=3)
MAX_STEPS_A_ROUND: Final = 24
"""A rotation takes four steps; more than this without rest means that somebody keeps undoing what we do."""


class ClusterError(Exception):
    """
    The API server did not do what it was asked to; ``remedy`` says what to do about it.

    ├── Conflict   somebody else wrote in between: read again
    ├── Missing    an object that we may not create is not there
    └── Refused    no right, no answer, or no sense in the answer
    """

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(f"{message}. {remedy}")
        self.remedy = remedy


class Conflict(ClusterError):
    """The object is no longer the one that was read."""


class Missing(ClusterError):
    """The object is not there, and making it is not our right."""


class Refused(ClusterError):
    """The API server refused, or cannot be reached."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A Secret as read; without a version it does not exist."""

    name: str
    data: Mapping[str, bytes] = field(repr=False, default_factory=dict)
    version: str | None = None
    manifest: Mapping[str, object] = field(repr=False, default_factory=dict)
    """The whole object, so that labels, owners and type survive a write."""

    @property
    def pair(self) -> KeyPair:
        """Certificate and key; empty where the Secret holds none."""
        return KeyPair(self.data.get(CERTIFICATE_KEY, b""), self.data.get(PRIVATE_KEY_KEY, b""))


@dataclass(frozen=True, slots=True, order=True)
class ConfigurationName:
    """A webhook configuration by resource (``validatingwebhookconfigurations`` or the mutating kind) and name."""

    resource: str
    name: str


@dataclass(frozen=True, slots=True)
class Configuration:
    """A webhook configuration as read: the caBundle of each of its webhooks, by the webhook's name."""

    name: ConfigurationName
    bundles: Mapping[str, bytes]
    version: str
    generation: str
    """Changes when the specification does, which ``version`` does for labels too."""


class Cluster(Protocol):
    """What a rotator needs of Kubernetes; every write compares the version read and raises :class:`Conflict`."""

    def read_secret(self, name: str) -> Secret:
        """Read a Secret of our namespace; a missing one comes without a version."""
        ...

    def write_secret(self, secret: Secret, data: Mapping[str, bytes]) -> None:
        """Replace all data of the Secret that was read."""
        ...

    def read_configuration(self, name: ConfigurationName) -> Configuration | None:
        """Read a webhook configuration; None when it is not installed (or was deleted in an emergency)."""
        ...

    def write_bundles(self, configuration: Configuration, bundles: Mapping[str, bytes]) -> None:
        """Replace the caBundle of these webhooks, and nothing else."""
        ...


class Clock(Protocol):
    """The wall clock, which may jump, and one that never does."""

    def now(self) -> datetime:
        """The time of day, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment."""
        ...


class SystemClock:
    """The clocks of this machine."""

    def now(self) -> datetime:
        """The time of day, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since some moment, not counting suspension."""
        return time.monotonic()


@dataclass(frozen=True, slots=True)
class Settings:
    """Which objects a rotator looks after, and how often it looks."""

    terms: Terms
    authority_secret: str
    serving_secret: str
    configurations: tuple[ConfigurationName, ...]
    interval: timedelta = INTERVAL
    """Pause between looks: damage is seen, and a clock that jumped is noticed, after this time."""

    def __post_init__(self) -> None:
        if self.authority_secret == self.serving_secret:
            raise ValueError("authority and serving certificate need two Secrets: pods mount only the latter")
        if not timedelta() < self.interval <= timedelta(seconds=60):
            raise ValueError("the interval must be between 0 and 60 seconds")


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read, and what it amounts to."""

    serving: Secret
    configurations: tuple[Configuration, ...]
    authority: Secret
    inventory: Inventory
    now: datetime


@dataclass(slots=True)
class Sighting:
    """Since when the same thing has been seen, look after look."""

    thing: object = None
    since: float = 0.0

    def lasts(self, thing: object, monotonic: float) -> timedelta:
        """Note what is seen now, and tell for how long; nothing (None) never lasts."""
        if thing is None or thing != self.thing:
            self.thing, self.since = thing, monotonic
        return timedelta(seconds=monotonic - self.since)


class Rotator:
    """One observer: it remembers since when it has seen things, and nothing else that a crash could lose."""

    def __init__(self, cluster: Cluster, settings: Settings, clock: Clock) -> None:
        self._cluster = cluster
        self._settings = settings
        self._clock = clock
        self._published = Sighting()
        self._served = Sighting()
        self._told = ""

    def read(self) -> Reading:
        """Read everything, in the order that makes the writes safe (see the head of this file)."""
        serving = self._cluster.read_secret(self._settings.serving_secret)
        found = [self._cluster.read_configuration(name) for name in self._settings.configurations]
        authority = self._cluster.read_secret(self._settings.authority_secret)
        configurations = tuple(one for one in found if one is not None)
        now = self._clock.now()
        inventory = take_stock(
            authority.pair,
            serving.pair,
            serving.data.get(ISSUER_KEY, b""),
            {
                Place(one.name.resource, one.name.name, webhook): bundle
                for one in configurations
                for webhook, bundle in one.bundles.items()
            },
            self._settings.terms.names,
            now,
        )
        monotonic = self._clock.monotonic()
        published_for = self._published.lasts(_published_where(inventory, configurations), monotonic)
        served_for = self._served.lasts((inventory.serving.fingerprint, serving.version), monotonic)
        inventory = replace(inventory, published_for=published_for, served_for=served_for)
        return Reading(serving, configurations, authority, inventory, now)

    def step(self) -> Step:
        """Look, plan and do one step; raises :class:`ClusterError`."""
        reading = self.read()
        step = plan(reading.inventory, reading.now, self._settings.terms)
        self._tell(step)
        self._execute(step, reading)
        return step

    def round(self) -> timedelta:
        """Step until there is nothing to do but wait, and tell how long; raises :class:`ClusterError`."""
        for _ in range(MAX_STEPS_A_ROUND):
            try:
                step = self.step()
            except Conflict as conflict:
                log.debug("looking again: %s", conflict)
                continue
            if isinstance(step, Wait):
                return min(step.remaining, self._settings.interval)
            if isinstance(step, Idle):
                break
        return self._settings.interval

    def _execute(self, step: Step, reading: Reading) -> None:
        match step:
            case Mint():
                authority = CertificateAuthority.mint(reading.now, self._settings.terms.authority_lifetime)
                self._write_pair(reading.authority, authority.pair, None)
            case Sign():
                authority = CertificateAuthority.load(reading.authority.pair)
                leaf = authority.sign(self._settings.terms.names, reading.now, self._settings.terms.leaf_lifetime)
                self._write_pair(reading.serving, leaf, authority.pair.certificate)
            case Publish(bundles=bundles) | Retire(bundles=bundles):
                self._write_bundles(reading.configurations, bundles)
            case Wait() | Idle():
                pass

    def _write_pair(self, secret: Secret, pair: KeyPair, issuer: bytes | None) -> None:
        data = {CERTIFICATE_KEY: pair.certificate, PRIVATE_KEY_KEY: pair.key}
        self._cluster.write_secret(secret, data if issuer is None else {**data, ISSUER_KEY: issuer})

    def _write_bundles(self, configurations: tuple[Configuration, ...], bundles: Mapping[Place, Bundle]) -> None:
        for configuration in configurations:
            own = {
                place.webhook: bundle.render()
                for place, bundle in bundles.items()
                if ConfigurationName(place.resource, place.configuration) == configuration.name
            }
            if own:
                self._cluster.write_bundles(configuration, own)

    def _tell(self, step: Step) -> None:
        """Log every deed, and rest only when the reason for it is new."""
        line = f"{type(step).__name__.lower()}: {step.reason}"
        if not isinstance(step, Wait | Idle) or line != self._told:
            log.info("%s", line)
        self._told = line


def rotate(settings: Settings, clock: Clock, stop: threading.Event, cluster: Cluster) -> None:
    """Look after the certificates until told to stop; trouble with the API server is logged and tried again."""
    rotator = Rotator(cluster, settings, clock)
    trouble = ""
    while not stop.is_set():
        pause = settings.interval
        try:
            pause = rotator.round()
            trouble = ""
        except ClusterError as error:
            log.log(logging.DEBUG if str(error) == trouble else logging.WARNING, "%s", error)
            trouble = str(error)
        stop.wait(pause.total_seconds())


def _published_where(inventory: Inventory, configurations: tuple[Configuration, ...]) -> object:
    """Identify "this authority stands in every caBundle"; None while it does not."""
    own = inventory.authority_certificate
    if own is None or any(own not in bundle for bundle in inventory.published.values()):
        return None
    return own.fingerprint, tuple((one.name, one.generation) for one in configurations)
