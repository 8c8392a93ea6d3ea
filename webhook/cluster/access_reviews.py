"""
TokenReviews and SubjectAccessReviews: which user sent a token, and what a user may do.

The dry-run API identifies the user only by the token. The admission listener takes the user from ``userInfo`` of the request.
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
"""The audience that is tried first. ``kubectl create token NAME --audience migratable`` creates a token for it."""
MAX_TOKEN = 16 * 1024
TIMEOUT_SECONDS = 5.0
_AUTHENTICATION = "/apis/authentication.k8s.io/v1/tokenreviews"
_AUTHORIZATION = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
_VIRTUAL_MACHINES = {"group": "kubevirt.io", "resource": "virtualmachines"}


@dataclass(frozen=True, slots=True)
class User:
    """An authenticated user of the API server."""

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


_token_review = msgspec.json.Decoder(_TokenReview)
_access_review = msgspec.json.Decoder(_AccessReview)


class ClusterAccess:
    """Sends reviews to one API server. All methods block, and raise Unavailable if there is no response."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def who(self, token: str) -> User | None:
        """Returns the user of the token, or None if the API server does not accept the token."""
        if not 0 < len(token) <= MAX_TOKEN or not token.isascii():
            return None
        for audiences in ([AUDIENCE], []):
            spec = {"token": token} | ({"audiences": audiences} if audiences else {})
            status = self._create(
                _AUTHENTICATION, "authentication.k8s.io/v1", "TokenReview", spec, _token_review
            ).status
            if status is not None and status.authenticated and status.user is not None and status.user.username:
                user = status.user
                return User(user.username, user.uid, tuple(user.groups or ()), user.extra or {})
        return None

    def may_make_vms(self, user: User, namespace: str) -> bool:
        """
        Whether ``user`` may create VirtualMachines in ``namespace``. The namespace need not exist.

        ``kubectl apply --dry-run=server`` needs the same permission, so the dry-run API discloses no further information.
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
        review = self._create(
            _AUTHORIZATION,
            "authorization.k8s.io/v1",
            "SubjectAccessReview",
            spec,
            _access_review,
            timeout_seconds=timeout_seconds,
        )
        return review.status is not None and bool(review.status.allowed)

    def _create(
        self,
        path: str,
        api_version: str,
        kind: str,
        spec: Mapping[str, Any],
        decoder: msgspec.json.Decoder[T],
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
            return decode(decoder, answer.body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Unavailable(
                f"the API server's response is not a {kind}",
                remedy="Check the proxies between Migratable and the API server.",
            ) from error
