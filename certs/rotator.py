"""
Keeps the authority, the served leaf and every caBundle of a cluster in order, one planned step at a time.

Any number of rotators may run: each write names the resourceVersion that was read, so of two rivals one wins and the
other looks again. What is read first is written last: the leaf, then the caBundles, then the authority. So a leaf is
never signed by an authority that was retired meanwhile, and none is retired that was minted meanwhile.
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
from certs.inventory import Inventory, Place, find_lagging, take_stock
from certs.lease import LOOK_ANYWAY, Duty
from certs.plan import Idle, Mint, Publish, Retire, Sign, Step, Terms, Wait, plan

log = logging.getLogger(__name__)

INTERVAL: Final = timedelta(seconds=3)
MAX_STEPS_A_ROUND: Final = 24
"""A rotation takes four steps; more than this without rest means that somebody keeps undoing what we do."""


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
    """One observer: it remembers what it has seen and since when, and nothing else that a crash could lose."""

    def __init__(self, cluster: Cluster, settings: Settings, clock: Clock, replicas: Replicas | None = None) -> None:
        self._cluster = cluster
        self._settings = settings
        self._clock = clock
        self._replicas = replicas
        self._published = Sighting()
        self._served = Sighting()
        self._drift = Drift()
        self._told = ""

    def read(self) -> Reading:
        """Read everything, in the order that makes the writes safe (see the head of this file)."""
        serving = self._cluster.read_secret(self._settings.serving_secret)
        found = [self._read_configuration(name) for name in self._settings.configurations]
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
        published_for = self._lasts_published(inventory, configurations, monotonic)
        served_for = self._served.lasts((inventory.serving.fingerprint, serving.version), monotonic)
        inventory = replace(inventory, published_for=published_for, served_for=served_for)
        return Reading(serving, configurations, authority, inventory, now)

    def _read_configuration(self, name: ConfigurationName) -> Configuration | None:
        found = self._cluster.read_configuration(name)
        self._drift.look(name, found)
        return found

    def _lasts_published(
        self, inventory: Inventory, configurations: tuple[Configuration, ...], monotonic: float
    ) -> timedelta:
        """
        Tell how long every API server has been seen to call by the authority.

        They are asked until the settle time is over; one that says no lets it begin anew.
        """
        published = _published_where(inventory, configurations)
        settle = self._settings.terms.bundle_settle
        if published is not None and self._published.lasts(published, monotonic) < settle:
            if not all(map(self._cluster.has_spread, configurations)):
                published = None
        return self._published.lasts(published, monotonic)

    def step(self) -> Step:
        """Look, plan and do one step; raises :class:`ClusterError`."""
        reading = self.read()
        step = plan(reading.inventory, reading.now, self._settings.terms)
        if isinstance(step, Retire) and self._replicas is not None:
            lagging = find_lagging(self._replicas.served(), reading.inventory, reading.now)
            step = plan(replace(reading.inventory, lagging=lagging), reading.now, self._settings.terms)
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


def rotate(rotator: Rotator, interval: timedelta, stop: threading.Event, duty: Duty | None = None) -> None:
    """Look after the certificates until told to stop; trouble with the API server is logged and tried again."""
    trouble = ""
    idle = timedelta()
    while not stop.is_set():
        pause = interval
        if duty is None or duty.is_ours() or idle >= LOOK_ANYWAY:
            idle = timedelta()
            try:
                pause = rotator.round()
                trouble = ""
            except ClusterError as error:
                log.log(logging.DEBUG if str(error) == trouble else logging.WARNING, "%s", error)
                trouble = str(error)
        idle += pause
        stop.wait(pause.total_seconds())
    if duty is not None:
        duty.resign()


def _published_where(inventory: Inventory, configurations: tuple[Configuration, ...]) -> object:
    """Identify "this authority stands in every caBundle"; None while it does not."""
    own = inventory.authority_certificate
    if own is None or any(own not in bundle for bundle in inventory.published.values()):
        return None
    return own.fingerprint, tuple((one.name, one.generation) for one in configurations)
