"""
TokenReviews and SubjectAccessReviews: which user sent a token, and what a user may do.

The dry-run API takes the user from the token alone. The admission listener takes it from ``userInfo`` of the request.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from webhook.cluster.ports import Transport
from webhook.errors import Unavailable
from webhook.objects.json_depth import decode
from webhook.objects.meta import Read

T = TypeVar("T")

AUDIENCE = "migratable"
"""Tokens made for us alone are tried first: ``kubectl create token NAME --audience migratable``."""
MAX_TOKEN = 16 * 1024
TIMEOUT_SECONDS = 5.0
_WHO = "/apis/authentication.k8s.io/v1/tokenreviews"
_MAY = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
_VIRTUAL_MACHINES = {"group": "kubevirt.io", "resource": "virtualmachines"}


@dataclass(frozen=True, slots=True)
class User:
    """Somebody, as the API server knows them."""

    username: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, list[str]] = field(default_factory=dict)


class _UserInfo(Read, frozen=True):
    username: str = ""
    uid: str = ""
    groups: list[str] | None = None
    extra: dict[str, list[str]] | None = None


class _TokenStatus(Read, frozen=True):
    authenticated: bool | None = None
    user: _UserInfo | None = None


class _TokenReview(Read, frozen=True):
    status: _TokenStatus | None = None


class _AccessStatus(Read, frozen=True):
    allowed: bool | None = None


class _AccessReview(Read, frozen=True):
    status: _AccessStatus | None = None


class ClusterAccess:
    """Asks one API server; every method waits, and raises Unavailable where there is no answer."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def who(self, token: str) -> User | None:
        """The user whose token this is; None where the API server knows nobody."""
        if not 0 < len(token) <= MAX_TOKEN or not token.isascii():
            return None
        for audiences in ([AUDIENCE], []):
            spec = {"token": token} | ({"audiences": audiences} if audiences else {})
            status = self._ask(_WHO, "authentication.k8s.io/v1", "TokenReview", spec, _TokenReview).status
            if status is not None and status.authenticated and status.user is not None and status.user.username:
                found = status.user
                return User(found.username, found.uid, tuple(found.groups or ()), found.extra or {})
        return None

    def may_make_vms(self, user: User, namespace: str) -> bool:
        """
        Whether ``user`` may create VirtualMachines in ``namespace``; a namespace that does not exist is no exception.

        ``kubectl apply --dry-run=server`` needs the same right, so the dry-run API discloses nothing that it does not.
        """
        return self.may(user, {"namespace": namespace, "verb": "create", **_VIRTUAL_MACHINES}, TIMEOUT_SECONDS)

    def may(self, user: User, attributes: Mapping[str, str], timeout_seconds: float) -> bool:
        """Whether ``user`` may do what the ``resourceAttributes`` of a SubjectAccessReview describe."""
        spec = {
            "user": user.username,
            "uid": user.uid,
            "groups": list(user.groups),
            "extra": dict(user.extra),
            "resourceAttributes": dict(attributes),
        }
        review = self._ask(
            _MAY, "authorization.k8s.io/v1", "SubjectAccessReview", spec, _AccessReview, timeout_seconds=timeout_seconds
        )
        return review.status is not None and bool(review.status.allowed)

    def _ask(
        self,
        path: str,
        api_version: str,
        kind: str,
        spec: Mapping[str, Any],
        reads: type[T],
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> T:
        body = {"apiVersion": api_version, "kind": kind, "spec": dict(spec)}
        answer = self._transport.post(path, body, timeout_seconds=timeout_seconds)
        if answer.status not in (200, 201):
            raise Unavailable(
                f"the API server returned HTTP {answer.status} for a {kind}",
                remedy=f"Allow Migratable's ServiceAccount to create {kind}s.",
            )
        try:
            return decode(msgspec.json.Decoder(reads), answer.body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Unavailable(
                f"the API server's response is not a {kind}",
                remedy="Check the proxies between Migratable and the API server.",
            ) from error
