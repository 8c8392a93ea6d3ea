"""The objects and operations of Kubernetes that a rotator uses. This module does no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from certs.authority import KeyPair

CERTIFICATE_KEY: Final = "tls.crt"
PRIVATE_KEY_KEY: Final = "tls.key"
ISSUER_KEY: Final = "ca.crt"
UNKNOWN_WRITER: Final = "an unknown client"


class ClusterError(Exception):
    """
    A request to the API server failed. ``remedy`` is an instruction to the user.

    ├── Conflict   another client changed the object: read again
    ├── Missing    the object does not exist, and the rotator may not create it
    └── Refused    a missing right, no response, or an invalid response
    """

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(f"{message}. {remedy}")
        self.remedy = remedy


class Conflict(ClusterError):
    """The object changed after it was read."""


class Missing(ClusterError):
    """The object does not exist, and the rotator may not create it."""


class Refused(ClusterError):
    """The API server refused the request, or cannot be reached."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A Secret as the API server returned it. A Secret without a version does not exist."""

    name: str
    data: Mapping[str, bytes] = field(repr=False, default_factory=dict)
    version: str | None = None
    manifest: Mapping[str, object] = field(repr=False, default_factory=dict)
    """The whole object, so that a write keeps labels, owners and type."""

    @property
    def pair(self) -> KeyPair:
        """The certificate and the key, each empty if the Secret does not contain it."""
        return KeyPair(self.data.get(CERTIFICATE_KEY, b""), self.data.get(PRIVATE_KEY_KEY, b""))


@dataclass(frozen=True, slots=True, order=True)
class ConfigurationName:
    """The resource (``validatingwebhookconfigurations`` or ``mutatingwebhookconfigurations``) and the name."""

    resource: str
    name: str

    def __str__(self) -> str:
        return f"{self.resource}/{self.name}"


@dataclass(frozen=True, slots=True)
class Configuration:
    """A webhook configuration as the API server returned it. ``bundles`` maps webhook names to caBundles."""

    name: ConfigurationName
    bundles: Mapping[str, bytes]
    version: str
    generation: str
    """Changes with the specification. ``version`` also changes with labels."""
    webhooks: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """The webhooks without their caBundle, by name."""
    writer: str = UNKNOWN_WRITER
    """The field manager of the last write by a client other than a rotator, such as ``kubectl-edit`` or ``helm``."""


class Cluster(Protocol):
    """Reads and writes objects for a rotator. A write of an outdated version raises :class:`Conflict`."""

    def read_secret(self, name: str) -> Secret:
        """Reads a Secret in the namespace. Returns a Secret without a version if the Secret does not exist."""
        ...

    def write_secret(self, secret: Secret, data: Mapping[str, bytes]) -> None:
        """
        Replaces all data of the Secret, if the Secret has not changed since it was read.

        Creates an empty Secret and raises :class:`Conflict` if the Secret does not exist.
        """
        ...

    def read_configuration(self, name: ConfigurationName) -> Configuration | None:
        """
        Reads a webhook configuration. Returns None if the configuration does not exist, for example after the emergency stop.
        """
        ...

    def has_spread(self, configuration: Configuration) -> bool:
        """Whether every API server that responds uses the version of the configuration that was read."""
        ...

    def write_bundles(self, configuration: Configuration, bundles: Mapping[str, bytes]) -> None:
        """Replaces the caBundle of these webhooks and no other field."""
        ...


class Replicas(Protocol):
    """The servers that use the serving certificate (the leaf)."""

    def served(self) -> Mapping[str, bytes]:
        """Returns the served certificates (PEM) by address, without addresses that do not respond."""
        ...
