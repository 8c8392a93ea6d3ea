"""
The annotations of a pod that select networks, as Multus reads them.

Source: multus-cni ``pkg/k8sclient/k8sclient.go`` parsePodNetworkAnnotation, v4.2. This module does no I/O.
"""

from typing import Final, NamedTuple

import msgspec

from webhook.objects.json_depth import decode
from webhook.objects.meta import Json

NETWORKS: Final = "k8s.v1.cni.cncf.io/networks"
DEFAULT_NETWORK: Final = "v1.multus-cni.io/default-network"
_JSON: Final = frozenset('[{"')
_DECODER: Final = msgspec.json.Decoder()


class Selection(NamedTuple):
    """One selected network."""

    namespace: str
    """The namespace of the NetworkAttachmentDefinition, or an empty text for the namespace of the pod."""
    name: str
    addresses: tuple[str, ...] = ()
    """``ips``: the addresses that the pod requests."""
    claim: str = ""
    """``ipam-claim-reference``: the IPAMClaim that keeps the addresses while pods come and go."""


def selections(text: str) -> tuple[Selection, ...]:
    """The networks in an annotation, or an empty tuple if Multus cannot read it."""
    if _JSON.isdisjoint(text):
        return tuple(_short(part.strip()) for part in text.split(",") if part.strip())
    try:
        value: Json = decode(_DECODER, text.encode())
    except (msgspec.MsgspecError, ValueError):
        return ()
    elements = value if isinstance(value, list) else ()
    return tuple(_of(element) for element in elements if isinstance(element, dict))


def _short(text: str) -> Selection:
    """``namespace/name@interface``, of which only the name is required."""
    namespace, _, name = text.partition("@")[0].rpartition("/")
    return Selection(namespace, name)


def _of(element: dict[str, Json]) -> Selection:
    ips = element.get("ips")
    addresses = tuple(address for address in ips if isinstance(address, str)) if isinstance(ips, list) else ()
    return Selection(
        _text(element, "namespace"), _text(element, "name"), addresses, _text(element, "ipam-claim-reference")
    )


def _text(element: dict[str, Json], key: str) -> str:
    value = element.get(key)
    return value if isinstance(value, str) else ""
