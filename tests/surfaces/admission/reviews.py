"""Builds AdmissionReviews and decides about them. Builders only."""

import json
from typing import Any

import msgspec

from webhook.facts.objects_world import ObjectsWorld
from webhook.kubevirt.releases import NEWEST, Releases, only
from webhook.objects.kinds import find_kind
from webhook.objects.meta import Kubernetes
from webhook.policy.policy import Policy
from webhook.surfaces.admission.requests import DecodedRequest, read_review
from webhook.surfaces.admission.validate import JudgingContext, Outcome, decide_request

Manifest = dict[str, Any]
TENANT = "tenant"
VIRT_API = "system:serviceaccount:kubevirt:kubevirt-apiserver"


def read(value: Manifest) -> Kubernetes:
    """An object as the product reads it."""
    kind = find_kind(value["apiVersion"], value["kind"])
    assert kind is not None
    return msgspec.convert(value, kind.reads)


def vm(name: str = "web", status: Manifest | None = None, outer: Manifest | None = None, **spec: Any) -> Manifest:
    """A VirtualMachine with masquerade on the pod network and these fields in its template's spec."""
    devices = {"interfaces": [{"name": "default", "masquerade": {}}], **spec.pop("devices", {})}
    made: Manifest = {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {"name": name, "namespace": TENANT},
        "spec": {
            "runStrategy": "Always",
            "template": {
                "metadata": {},
                "spec": {"domain": {"devices": devices}, "networks": [{"name": "default", "pod": {}}], **spec},
            },
            **(outer or {}),
        },
    }
    return {**made, "status": status} if status is not None else made


def claim(name: str, mode: str) -> Manifest:
    """A claim of the tenant."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": TENANT},
        "spec": {"accessModes": [mode]},
    }


def on_claim(name: str, volume: str = "os") -> Manifest:
    """A volume."""
    return {"name": volume, "persistentVolumeClaim": {"claimName": name}}


def review(
    operation: str, new: Manifest | None, old: Manifest | None = None, *, user: str = "jane", sub_resource: str = ""
) -> bytes:
    """The bytes that an API server posts."""
    about = new or old
    assert about is not None
    group, _, version = about["apiVersion"].rpartition("/")
    request = {
        "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
        "kind": {"group": group, "version": version, "kind": about["kind"]},
        "resource": {"group": group, "version": version, "resource": about["kind"].lower() + "s"},
        "subResource": sub_resource,
        "name": about["metadata"].get("name", ""),
        "namespace": about["metadata"].get("namespace", ""),
        "operation": operation,
        "userInfo": {"username": user, "groups": ["system:authenticated"]},
        "object": new,
        "oldObject": old,
        "dryRun": False,
    }
    envelope = {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request}
    return json.dumps(envelope, separators=(",", ":")).encode()


_NEWEST: Releases = only(NEWEST)


def decided(body: bytes, *known: Manifest, policy: Policy | None = None, releases: Releases = _NEWEST) -> Outcome:
    """The outcome of a review in a cluster with these objects."""
    decoded = read_review(body)
    assert isinstance(decoded, DecodedRequest)
    world = ObjectsWorld([read(manifest) for manifest in known])
    return decide_request(decoded, JudgingContext(world, releases, policy or Policy(), "2026-01-01", "kubevirt"))


def refused(outcome: Outcome) -> dict[str, str]:
    """Messages by field."""
    return {cause.field: cause.message for cause in outcome.causes}


def warned(outcome: Outcome) -> list[tuple[str, str]]:
    """Rule and action of each finding that is not denied."""
    return [
        (decision.finding.rule.id, decision.action.value) for decision in outcome.decisions if decision.action != "deny"
    ]
