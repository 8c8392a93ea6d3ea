"""
The textbook way, for comparison: a FastAPI route with pydantic models and the five checks.

    CLAIMS=claims.json uvicorn benchmarks.contestants.route:app
"""

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from benchmarks.contestants.bare import problems


class Model(BaseModel):
    """Camel case outside, snake case inside."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Named(Model):
    """Something with a name."""

    name: str = ""


class Port(Model):
    """An entry of ``ports``."""

    port: int = 0


class Interface(Model):
    """An interface."""

    name: str = ""
    bridge: dict[str, Any] | None = None
    masquerade: dict[str, Any] | None = None
    ports: list[Port] | None = None


class Network(Model):
    """A network."""

    name: str = ""
    pod: dict[str, Any] | None = None


class Devices(Model):
    """The devices."""

    interfaces: list[Interface] | None = None
    filesystems: list[Named] | None = None
    host_devices: list[Named] | None = None
    gpus: list[Named] | None = None


class Domain(Model):
    """The domain."""

    devices: Devices = Devices()


class ClaimName(Model):
    """``persistentVolumeClaim`` of a volume."""

    claim_name: str = ""


class Volume(Model):
    """A volume."""

    name: str = ""
    persistent_volume_claim: ClaimName | None = None


class VMISpec(Model):
    """``spec.template.spec``."""

    domain: Domain = Domain()
    networks: list[Network] | None = None
    volumes: list[Volume] | None = None


class Template(Model):
    """``spec.template``."""

    spec: VMISpec = VMISpec()


class VMSpec(Model):
    """``spec``."""

    template: Template = Template()


class VM(Model):
    """The object."""

    spec: VMSpec = VMSpec()


class Request(Model):
    """The request."""

    uid: str
    namespace: str = ""
    object: VM = VM()


class Review(Model):
    """The envelope that an API server posts."""

    api_version: str
    kind: str
    request: Request


class Status(Model):
    """Why it was refused."""

    code: int
    reason: str
    message: str


class Response(Model):
    """The answer."""

    uid: str
    allowed: bool
    status: Status | None = None


class Answer(Model):
    """The envelope of the answer."""

    api_version: str = "admission.k8s.io/v1"
    kind: str = "AdmissionReview"
    response: Response


app = FastAPI(openapi_url=None)


@app.post("/validate", response_model_exclude_none=True)
async def validate(review: Review) -> Answer:
    """Judges one review."""
    request = review.request
    wrong = list(problems(request.object.spec.template.spec, request.namespace))
    status = Status(code=422, reason="Invalid", message="; ".join(wrong)) if wrong else None
    return Answer(response=Response(uid=request.uid, allowed=not wrong, status=status))
