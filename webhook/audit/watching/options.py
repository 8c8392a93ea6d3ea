"""The options of ``migratable audit --watch``."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from webhook.audit.scope import Scope
from webhook.cluster.leases import LeaseTransport
from webhook.cluster.ports import Transport, Writer
from webhook.policy.policy import Policy


class ClusterWriter(Writer, LeaseTransport, Protocol):
    """Writes reports and the Lease."""


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """The options, and the connections to the cluster."""

    reader: Transport
    writer: ClusterWriter | None
    """None if no reports are written."""
    scope: Scope
    load_policy: Callable[[bytes], Policy]
    """Reads the policy in a content of the policy file, and applies the options that change it. Raises Misconfigured."""
    policy_file: Path | None
    release: str
    reports: str
    """``openreports``, ``policyreports``, ``auto`` or ``none``."""
    writes_per_second: float
    lease: tuple[str, str] | None
    """Namespace and name. None if this is the only process, which then always writes."""
    host: str
    port: int
    drain_minutes: float
    """The interval between rehearsals of node drains. 0 for none."""
    drain_arguments: Sequence[str] = ()
    """The options of ``migratable drain`` that select the same cluster."""
