"""
Maintains the CA, the serving certificate (leaf) and all caBundles of a cluster, one planned step at a time.

Several rotators can run at the same time. Each write is conditional on the resourceVersion that was read, so only one of two
concurrent writes succeeds, and the other rotator reads again. The leaf is read first, then the caBundles, then the CA. Writes
have the reverse order. A leaf is therefore never signed by a CA that was removed meanwhile, and a new CA is never removed.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from certs.authority import CertificateAuthority, KeyPair
from certs.bundle import Bundle
from certs.clock import Clock
from certs.cluster import (
    CERTIFICATE_KEY,
    ISSUER_KEY,
    PRIVATE_KEY_KEY,
    Cluster,
    ClusterError,
    Configuration,
    ConfigurationName,
    Conflict,
    Replicas,
    Secret,
)
from certs.drift import Drift
from certs.inventory import Inventory, Place, find_lagging, take_inventory
from certs.lease import FOLLOWER_INTERVAL, LeaderElection
from certs.plan import Idle, Mint, Publish, Retire, Sign, Step, Terms, Wait, plan

log = logging.getLogger(__name__)

INTERVAL: Final = timedelta(seconds=3)
MAX_STEPS_A_ROUND: Final = 24
"""A rotation takes four steps. More steps without a wait mean that another client keeps reverting them."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The objects that a rotator maintains, and the interval of its checks."""

    terms: Terms
    authority_secret: str
    serving_secret: str
    configurations: tuple[ConfigurationName, ...]
    interval: timedelta = INTERVAL
    """Time between two checks, after which damage and clock jumps are detected."""

    def __post_init__(self) -> None:
        if self.authority_secret == self.serving_secret:
            raise ValueError(
                "the CA and the serving certificate need two Secrets: serving pods must not mount the key of the CA"
            )
        if not timedelta() < self.interval <= timedelta(seconds=60):
            raise ValueError("the interval must be between 0 and 60 seconds")


@dataclass(frozen=True, slots=True)
class Reading:
    """The objects that one check read, and their inventory."""

    serving: Secret
    configurations: tuple[Configuration, ...]
    authority: Secret
    inventory: Inventory
    now: datetime


@dataclass(slots=True)
class Observation:
    """Measures how long consecutive checks have had the same result."""

    value: object = None
    since: float = 0.0

    def duration(self, value: object, monotonic: float) -> timedelta:
        """Records the current result and returns how long the result has been the same. Returns zero if the result is None."""
        if value is None or value != self.value:
            self.value, self.since = value, monotonic
        return timedelta(seconds=monotonic - self.since)


class Rotator:
    """Checks and repairs all certificates. The only state of a rotator is how long it has seen the current certificates."""

    def __init__(self, cluster: Cluster, settings: Settings, clock: Clock, replicas: Replicas | None = None) -> None:
        self._cluster = cluster
        self._settings = settings
        self._clock = clock
        self._replicas = replicas
        self._published = Observation()
        self._served = Observation()
        self._drift = Drift()
        self._logged = ""

    def read(self) -> Reading:
        """Reads all objects, in the order that makes the writes safe (see the module docstring)."""
        serving = self._cluster.read_secret(self._settings.serving_secret)
        optional = [self._read_configuration(name) for name in self._settings.configurations]
        authority = self._cluster.read_secret(self._settings.authority_secret)
        configurations = tuple(configuration for configuration in optional if configuration is not None)
        now = self._clock.now()
        inventory = take_inventory(
            authority.pair,
            serving.pair,
            serving.data.get(ISSUER_KEY, b""),
            {
                Place(configuration.name.resource, configuration.name.name, webhook): bundle
                for configuration in configurations
                for webhook, bundle in configuration.bundles.items()
            },
            self._settings.terms.names,
            now,
        )
        monotonic = self._clock.monotonic()
        published_for = self._published_for(inventory, configurations, monotonic)
        served_for = self._served.duration((inventory.serving.fingerprint, serving.version), monotonic)
        inventory = replace(inventory, published_for=published_for, served_for=served_for)
        return Reading(serving, configurations, authority, inventory, now)

    def _read_configuration(self, name: ConfigurationName) -> Configuration | None:
        configuration = self._cluster.read_configuration(name)
        self._drift.observe(name, configuration)
        return configuration

    def _published_for(
        self, inventory: Inventory, configurations: tuple[Configuration, ...], monotonic: float
    ) -> timedelta:
        """
        Returns how long every API server has trusted the CA.

        Checks the API servers until the settle time has passed. If an API server still uses an older configuration, the settle
        time starts again.
        """
        published = _published_where(inventory, configurations)
        settle = self._settings.terms.bundle_settle
        if published is not None and self._published.duration(published, monotonic) < settle:
            if not all(map(self._cluster.has_spread, configurations)):
                published = None
        return self._published.duration(published, monotonic)

    def step(self) -> Step:
        """Reads, plans and executes one step. Raises :class:`ClusterError`."""
        reading = self.read()
        step = plan(reading.inventory, reading.now, self._settings.terms)
        if isinstance(step, Retire) and self._replicas is not None:
            lagging = find_lagging(self._replicas.served(), reading.inventory, reading.now)
            step = plan(replace(reading.inventory, lagging=lagging), reading.now, self._settings.terms)
        self._log(step)
        self._execute(step, reading)
        return step

    def round(self) -> timedelta:
        """Executes steps until the next step is to wait, and returns the time to wait. Raises :class:`ClusterError`."""
        for _ in range(MAX_STEPS_A_ROUND):
            try:
                step = self.step()
            except Conflict as conflict:
                log.debug("reading again: %s", conflict)
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

    def _log(self, step: Step) -> None:
        """Logs every write. Logs the reason of a wait if the reason has changed."""
        line = f"{type(step).__name__.lower()}: {step.reason}"
        if not isinstance(step, Wait | Idle) or line != self._logged:
            log.info("%s", line)
        self._logged = line


def rotate(
    rotator: Rotator, interval: timedelta, stop: threading.Event, election: LeaderElection | None = None
) -> None:
    """Runs rounds until ``stop`` is set. Logs API server errors and retries."""
    last_error = ""
    idle = timedelta()
    while not stop.is_set():
        pause = interval
        if election is None or election.is_leader() or idle >= FOLLOWER_INTERVAL:
            idle = timedelta()
            try:
                pause = rotator.round()
                last_error = ""
            except ClusterError as error:
                log.log(logging.DEBUG if str(error) == last_error else logging.WARNING, "%s", error)
                last_error = str(error)
        idle += pause
        stop.wait(pause.total_seconds())
    if election is not None:
        election.release()


def _published_where(inventory: Inventory, configurations: tuple[Configuration, ...]) -> object:
    """Returns a value that identifies the CA and the configurations. Returns None unless every caBundle contains the CA."""
    own = inventory.authority_certificate
    if own is None or any(own not in bundle for bundle in inventory.published.values()):
        return None
    return own.fingerprint, tuple((configuration.name, configuration.generation) for configuration in configurations)
