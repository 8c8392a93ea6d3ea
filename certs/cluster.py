"""What a rotator needs of Kubernetes: two Secrets, some webhook configurations and perhaps a Lease. This file does no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from certs.authority import KeyPair

CERTIFICATE_KEY: Final = "tls.crt"
PRIVATE_KEY_KEY: Final = "tls.key"
ISSUER_KEY: Final = "ca.crt"


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

    def __str__(self) -> str:
        return f"{self.resource}/{self.name}"


@dataclass(frozen=True, slots=True)
class Configuration:
    """A webhook configuration as read: the caBundle of each of its webhooks, by the webhook's name."""

    name: ConfigurationName
    bundles: Mapping[str, bytes]
    version: str
    generation: str
    """Changes when the specification does, which ``version`` does for labels too."""
    webhooks: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """Each webhook without its caBundle, by its name."""
    writer: str = "nobody knows whom"
    """The field manager of the last write that was not ours: ``kubectl-edit``, ``helm``."""


class Cluster(Protocol):
    """What a rotator needs of Kubernetes; every write compares the version read and raises :class:`Conflict`."""

    def read_secret(self, name: str) -> Secret:
        """Read a Secret of our namespace; a missing one comes without a version."""
        ...

    def write_secret(self, secret: Secret, data: Mapping[str, bytes]) -> None:
        """
        Replace all data of the Secret that was read.

        One that does not exist is only made, empty, and has to be read again: :class:`Conflict`.
        """
        ...

    def read_configuration(self, name: ConfigurationName) -> Configuration | None:
        """Read a webhook configuration; None when it is not installed (or was deleted in an emergency)."""
        ...

    def has_spread(self, configuration: Configuration) -> bool:
        """Whether every API server that could be asked now calls webhooks by the configuration as it was read."""
        ...

    def write_bundles(self, configuration: Configuration, bundles: Mapping[str, bytes]) -> None:
        """Replace the caBundle of these webhooks, and nothing else."""
        ...


class Replicas(Protocol):
    """The servers that serve the leaf."""

    def served(self) -> Mapping[str, bytes]:
        """Tell what is served at each address that answers, PEM; an address that does not is left out."""
        ...
