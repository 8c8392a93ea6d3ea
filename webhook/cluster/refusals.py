"""Writes one log line for all kinds that the account may not watch, instead of one line for each kind and retry."""

import logging
import threading
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from webhook.objects.kinds import BY_CLASS
from webhook.objects.meta import Kubernetes

log = logging.getLogger("migratable.cluster")


class Role(NamedTuple):
    """A ClusterRole that a message names, and its file."""

    name: str
    file: str


SERVER: Final = Role("migratable-facts", "deploy/kustomize/base/server/rbac.yaml")
AUDIT: Final = Role("migratable-audit-watch", "deploy/kustomize/components/audit-watch/rbac.yaml")
UNAUTHORIZED: Final = 401


class Refusals:
    """
    Collects the kinds that the account may not list and watch. Thread-safe.

    The first line is written when every kind has an outcome. A later line is written when further kinds are refused, and when
    all kinds can be read again.
    """

    def __init__(self, kinds: Iterable[type[Kubernetes]], role: Role = SERVER) -> None:
        """``role`` has the permissions for the kinds."""
        self._role = role
        self._lock = threading.Lock()
        self._open = set(kinds)
        self._refused: dict[type[Kubernetes], int] = {}
        self._logged: frozenset[type[Kubernetes]] = frozenset()

    def refused(self, kind: type[Kubernetes], status: int) -> None:
        """Record that the API server responded 401 or 403."""
        with self._lock:
            self._open.discard(kind)
            self._refused[kind] = status
            self._log()

    def not_refused(self, kind: type[Kubernetes]) -> None:
        """Record that the API server accepted the watch, or that the watch failed for another reason."""
        with self._lock:
            self._open.discard(kind)
            self._refused.pop(kind, None)
            self._log()

    def _log(self) -> None:
        if self._open:
            return
        refused = frozenset(self._refused)
        if refused - self._logged:
            log.error(_message(self._refused, self._role), extra={"retry": "at most 30 seconds"})
        elif self._logged and not refused:
            log.info("the API server accepts all reads again")
        self._logged = refused


def _message(refused: Mapping[type[Kubernetes], int], role: Role) -> str:
    if all(status == UNAUTHORIZED for status in refused.values()):
        return "the API server does not accept the credentials (HTTP 401). Log in again, or name another --context"
    resources = sorted(".".join(filter(None, (BY_CLASS[kind].plural, BY_CLASS[kind].group))) for kind in refused)
    return (
        f"the account has no permission to list and watch {', '.join(resources)} (HTTP 403). "
        f"Bind the account to ClusterRole {role.name} of {role.file}"
    )
