"""The request and the response of AdmissionReview v1 (``k8s.io/api/admission/v1/types.go``)."""

from typing import Generic, TypeVar

import msgspec

from webhook.objects.meta import Kubernetes, Read

K = TypeVar("K", bound=Kubernetes)


class GroupVersionKind(Read, frozen=True):
    """The ``kind`` of an admission request."""

    group: str = ""
    version: str = ""
    kind: str = ""


class GroupVersionResource(Read, frozen=True):
    """The ``resource`` of an admission request."""

    group: str = ""
    version: str = ""
    resource: str = ""


class UserInfo(Read, frozen=True):
    """The ``userInfo`` of an admission request, which names the user who sent the request."""

    username: str = ""
    uid: str = ""
    groups: list[str] | None = None
    extra: dict[str, list[str] | None] | None = None


class AdmissionRequest(Read, frozen=True):
    """``request``, without its objects."""

    uid: str
    kind: GroupVersionKind = msgspec.field(default_factory=GroupVersionKind)
    resource: GroupVersionResource = msgspec.field(default_factory=GroupVersionResource)
    sub_resource: str = ""
    name: str = ""
    namespace: str = ""
    operation: str = ""
    user_info: UserInfo = msgspec.field(default_factory=UserInfo)
    dry_run: bool | None = None


class RawRequest(AdmissionRequest, frozen=True):
    """``request``. The objects remain raw bytes until their kind is known."""

    object: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)
    old_object: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)


class TypedRequest(AdmissionRequest, Generic[K], frozen=True):
    """``request`` with objects of a kind that is known in advance."""

    object: K | None = None
    old_object: K | None = None


class AdmissionReview(Read, frozen=True):
    """The AdmissionReview that an API server sends."""

    api_version: str = ""
    kind: str = ""
    request: RawRequest | None = None


class TypedReview(Read, Generic[K], frozen=True):
    """The AdmissionReview of an object of a kind that is known in advance."""

    api_version: str = ""
    kind: str = ""
    request: TypedRequest[K] | None = None


class StatusCause(msgspec.Struct, frozen=True, omit_defaults=True):
    """One problem of a denied object (``metav1.StatusCause``), which kubectl prints as ``* field: message``."""

    reason: str = ""
    message: str = ""
    field: str = ""


class StatusDetails(msgspec.Struct, frozen=True, omit_defaults=True):
    """The denied object and the causes."""

    name: str = ""
    group: str = ""
    kind: str = ""
    causes: list[StatusCause] = []


class Status(msgspec.Struct, frozen=True, omit_defaults=True):
    """The ``metav1.Status`` of a denial. The output of kubectl depends on ``code`` and ``reason``."""

    message: str = ""
    reason: str = ""
    details: StatusDetails | None = None
    code: int = 0


class AdmissionResponse(msgspec.Struct, frozen=True, rename="camel"):
    """``response``."""

    uid: str
    allowed: bool
    status: Status | None | msgspec.UnsetType = msgspec.UNSET
    patch: str | msgspec.UnsetType = msgspec.UNSET
    """The JSON Patch (RFC 6902) in base64."""
    patch_type: str | msgspec.UnsetType = msgspec.UNSET
    warnings: list[str] | msgspec.UnsetType = msgspec.UNSET
    audit_annotations: dict[str, str] | msgspec.UnsetType = msgspec.UNSET


class AdmissionReviewAnswer(msgspec.Struct, frozen=True, rename="camel"):
    """The AdmissionReview that carries the response."""

    response: AdmissionResponse
    api_version: str = "admission.k8s.io/v1"
    kind: str = "AdmissionReview"
