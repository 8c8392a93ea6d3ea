"""
Messages between the server and the process that renders the pages for operators.

The process reads objects of a cluster, so the server never unpickles its replies.
"""

from typing import Final, TypeAlias

import msgspec

OF_A_VM: Final = "/vms/"
"""The start of the path of a VM. The namespace and the name follow."""

MOST_BYTES: Final = 16 * 2**20
"""Maximum size of a reply, in bytes."""


class Sight(msgspec.Struct, frozen=True):
    """The part of a cluster that the caller may see."""

    namespaces: tuple[str, ...] | None = None
    """The namespaces whose VMs may be seen, sorted. None means all namespaces."""
    nodes: bool = True
    """Whether the nodes may be seen, the effect of their drains, and the placement of VMs."""
    policies: bool = True
    """Whether the MigrationPolicies may be seen."""
    settings: bool = True
    """Whether the findings about the KubeVirt CR and other objects that are not VMs may be seen."""
    user: str = ""
    """The name of the signed-in user. Empty if no sign-in is needed."""

    def shows(self, namespace: str) -> bool:
        """Whether the VMs of a namespace may be seen."""
        return self.namespaces is None or namespace in self.namespaces


class Start(msgspec.Struct, frozen=True, tag="start"):
    """The first message to a process: the source of the objects, and how they are judged."""

    files: tuple[str, ...] = ()
    """Files, folders and snapshots. Empty if the objects come from a cluster."""
    kubeconfig: str = ""
    """Empty for the cluster that this pod runs in."""
    context: str | None = None
    policy_file: str = ""
    """Empty for the built-in policy."""
    release: str = ""
    """The pinned release, or empty."""


class PageRequest(msgspec.Struct, frozen=True, tag="page"):
    """A request for a page."""

    path: str
    """The decoded path below ``/fleet``, such as ``/vms``. Empty for the overview."""
    query: tuple[tuple[str, str], ...]
    """The decoded parameters, in their order."""
    sight: Sight

    @property
    def namespace(self) -> str:
        """The namespace in the path of a VM, or in the parameters. Empty if there is none."""
        if self.path.startswith(OF_A_VM):
            return self.path.removeprefix(OF_A_VM).partition("/")[0]
        return dict(self.query).get("namespace", "")


class NamespacesRequest(msgspec.Struct, frozen=True, tag="namespaces"):
    """A request for the namespaces that have VMs."""


class VersionRequest(msgspec.Struct, frozen=True, tag="version"):
    """A request for the version of the state."""


class Started(msgspec.Struct, frozen=True, tag="started"):
    """The reply to ``Start``: the files were read, or the cluster has an address and credentials."""


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """The reply to ``Start`` for files that cannot be read. The process ends."""

    message: str
    remedy: str


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """An internal error. Its text could contain objects, so only its type is known."""

    error: str


class PageReply(msgspec.Struct, frozen=True, tag="page"):
    """A page as HTML."""

    status: int
    body: bytes
    version: str
    """The version of the state. The same request gives the same page as long as the version stays."""


class NamespacesReply(msgspec.Struct, frozen=True, tag="namespaces"):
    """The namespaces that have VMs, sorted."""

    namespaces: tuple[str, ...]
    is_complete: bool = True
    """Whether all VMs were read."""


class VersionReply(msgspec.Struct, frozen=True, tag="version"):
    """The version of the state."""

    version: str


Request: TypeAlias = Start | PageRequest | NamespacesRequest | VersionRequest
Reply: TypeAlias = Started | Refused | Failed | PageReply | NamespacesReply | VersionReply

_requests: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
_replies: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)


def encode(message: Request | Reply) -> bytes:
    """The frame of a message."""
    return msgspec.msgpack.encode(message)


def decode_request(frame: bytes) -> Request:
    """The message in a frame from the server. Raises msgspec.DecodeError."""
    return _requests.decode(frame)


def decode_reply(frame: bytes) -> Reply:
    """The message in a frame from the process. Raises msgspec.DecodeError."""
    return _replies.decode(frame)
