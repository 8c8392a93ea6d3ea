"""
The floors under uvicorn: a constant answer, and a plain ASGI application with the five checks written out.

    uvicorn benchmarks.contestants.bare:constant
    CLAIMS=claims.json uvicorn benchmarks.contestants.bare:five_checks
"""

import json
import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

RESERVED = (49152, 49153)
CLAIMS: dict[str, list[str]] = json.loads(Path(os.environ["CLAIMS"]).read_text()) if "CLAIMS" in os.environ else {}
_PASS = (
    b'{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":"00000000-0000-0000-0000-000000000000"'
    b',"allowed":true}}'
)


async def constant(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Reads the body and answers the same whatever it is."""
    if scope["type"] == "http":
        await _body(receive)
        await _answer(send, _PASS)


async def five_checks(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """The least that can be written in Python."""
    if scope["type"] != "http":
        return
    request = _decoder.decode(await _body(receive)).request
    wrong = list(problems(request.object.spec.template.spec, request.namespace))
    response: dict[str, Any] = {"uid": request.uid, "allowed": not wrong}
    if wrong:
        response["status"] = {"code": 422, "reason": "Invalid", "message": "; ".join(wrong)}
    await _answer(
        send, _encoder.encode({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response})
    )


class Named(msgspec.Struct):
    """Something with a name."""

    name: str = ""


class Port(msgspec.Struct):
    """An entry of ``ports``."""

    port: int = 0


class Interface(msgspec.Struct):
    """An interface, as far as it is read."""

    name: str = ""
    bridge: dict[str, Any] | None = None
    masquerade: dict[str, Any] | None = None
    ports: list[Port] | None = None


class Network(msgspec.Struct):
    """A network."""

    name: str = ""
    pod: dict[str, Any] | None = None


class Devices(msgspec.Struct, rename="camel"):
    """The devices."""

    interfaces: list[Interface] | None = None
    filesystems: list[Named] | None = None
    host_devices: list[Named] | None = None
    gpus: list[Named] | None = None


class Domain(msgspec.Struct):
    """The domain."""

    devices: Devices = msgspec.field(default_factory=Devices)


class ClaimName(msgspec.Struct, rename="camel"):
    """``persistentVolumeClaim`` of a volume."""

    claim_name: str = ""


class Volume(msgspec.Struct, rename="camel"):
    """A volume."""

    name: str = ""
    persistent_volume_claim: ClaimName | None = None


class VMISpec(msgspec.Struct):
    """``spec.template.spec``."""

    domain: Domain = msgspec.field(default_factory=Domain)
    networks: list[Network] | None = None
    volumes: list[Volume] | None = None


class Template(msgspec.Struct):
    """``spec.template``."""

    spec: VMISpec = msgspec.field(default_factory=VMISpec)


class VMSpec(msgspec.Struct):
    """``spec``."""

    template: Template = msgspec.field(default_factory=Template)


class VM(msgspec.Struct):
    """The object."""

    spec: VMSpec = msgspec.field(default_factory=VMSpec)


class Request(msgspec.Struct):
    """The request."""

    uid: str
    namespace: str = ""
    object: VM = msgspec.field(default_factory=VM)


class Review(msgspec.Struct):
    """The envelope."""

    request: Request


_decoder = msgspec.json.Decoder(Review)
_encoder = msgspec.json.Encoder()


def problems(spec: Any, namespace: str) -> Iterator[str]:
    """The five checks; ``spec`` may be any object with these attributes."""
    devices = spec.domain.devices
    pod = {network.name for network in spec.networks or () if network.pod is not None}
    for interface in devices.interfaces or ():
        if interface.bridge is not None and interface.name in pod:
            yield f"interface {interface.name!r} is bound by bridge to the pod network"
        if interface.masquerade is not None and any(port.port in RESERVED for port in interface.ports or ()):
            yield f"interface {interface.name!r} lists a port of live migration"
    if devices.filesystems:
        yield "filesystems cannot be migrated"
    if devices.host_devices or devices.gpus:
        yield "host devices cannot be migrated"
    for volume in spec.volumes or ():
        claim = volume.persistent_volume_claim
        if claim is not None and "ReadWriteMany" not in CLAIMS.get(f"{namespace}/{claim.claim_name}", ()):
            yield f"claim {claim.claim_name!r} is not ReadWriteMany"


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _answer(send: Send, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
