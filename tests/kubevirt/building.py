"""Builders of objects and verdicts for tests. They repeat no logic of the product."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from webhook.facts.objects_world import ObjectsWorld
from webhook.facts.world import World
from webhook.judging.finding import Judgement
from webhook.judging.machines import judge
from webhook.kubevirt.releases import PUBLISHED, Release, Releases, behaviours, only
from webhook.objects.kinds import find_kind
from webhook.objects.meta import Kubernetes
from webhook.objects.nad import Node
from webhook.objects.storage import DataSource, DataVolume, PersistentVolumeClaim, StorageClass, StorageProfile
from webhook.yaml.document import read_documents

Manifest = dict[str, Any]

EVERYTHING: tuple[type[Kubernetes], ...] = (
    PersistentVolumeClaim,
    DataVolume,
    DataSource,
    StorageProfile,
    StorageClass,
    Node,
)
"""Kinds of which a test's world is usually complete."""
IN_DEVICES = frozenset(
    ("autoattachPodInterface", "disks", "filesystems", "gpus", "hostDevices", "interfaces", "tpm"),
)
IN_DOMAIN = frozenset(("cpu", "devices", "features", "firmware", "launchSecurity", "memory"))
RELEASES: tuple[Release, ...] = tuple(behaviour.release for behaviour in behaviours(PUBLISHED))


def read(manifest: Manifest) -> Kubernetes:
    """The object as the product reads it."""
    kind = find_kind(manifest["apiVersion"], manifest["kind"])
    assert kind is not None, manifest["kind"]
    return msgspec.convert(manifest, kind.reads)


def world(*manifests: Manifest, complete: Iterable[type[Kubernetes]] = EVERYTHING) -> ObjectsWorld:
    """A world of these objects; of the kinds in ``complete`` there are no others."""
    return ObjectsWorld([read(manifest) for manifest in manifests], complete)


def yaml(text: str) -> Any:
    """The one value of a YAML text."""
    return read_documents(text.encode(), "test")[0].value


def spec(fragment: str) -> Manifest:
    """A VMI's spec; fields of ``domain`` and ``domain.devices`` may be at the top."""
    whole: Manifest = {"domain": {"devices": {}}}
    for key, value in yaml(fragment or "{}").items():
        into = whole["domain"]["devices"] if key in IN_DEVICES else whole["domain"] if key in IN_DOMAIN else whole
        into[key] = value
    return whole


def vmi(fragment: str, annotations: Mapping[str, str] | None = None, status: Manifest | None = None) -> Manifest:
    """A VirtualMachineInstance ``vm`` in namespace ``tenant``."""
    whole = {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstance",
        "metadata": {"name": "vm", "namespace": "tenant", "annotations": dict(annotations or {})},
        "spec": spec(fragment),
    }
    return whole | ({"status": status} if status else {})


def vm(
    fragment: str,
    annotations: Mapping[str, str] | None = None,
    *,
    outer: Mapping[str, str] | None = None,
    status: Manifest | None = None,
    **fields: Any,
) -> Manifest:
    """A VirtualMachine ``vm``; ``fields`` belong to its spec, ``annotations`` to its template, ``outer`` to itself."""
    whole = {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {"name": "vm", "namespace": "tenant", "annotations": dict(outer or {})},
        "spec": {"template": {"metadata": {"annotations": dict(annotations or {})}, "spec": spec(fragment)}, **fields},
    }
    return whole | ({"status": status} if status else {})


def named(kind: str, name: str, api_version: str, labels: Mapping[str, str] | None = None, **fields: Any) -> Manifest:
    """Any other object, in namespace ``tenant``; ``fields`` are at its top."""
    metadata = {"name": name, "namespace": "tenant", "labels": dict(labels or {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


def judgement(manifest: Manifest, around: World, releases: Releases) -> Judgement:
    """The judgement of the engine."""
    return judge(read(manifest), around, releases)


def verdict(manifest: Manifest, around: ObjectsWorld, release: Release | str) -> str:
    """The verdict of one release: ``OK``, KubeVirt's reason, or ``unproven``."""
    at = release if isinstance(release, Release) else Release(*map(int, release.split(".")))
    result = judgement(manifest, around, only(at)).verdict
    assert result is not None
    if result.live_migratable is None:
        return "unproven"
    return "OK" if result.reason is None else str(result.reason)


def verdicts(manifest: Manifest, around: ObjectsWorld, releases: Sequence[Release] = RELEASES) -> dict[str, str]:
    """The verdicts of several releases, by release."""
    return {str(release): verdict(manifest, around, release) for release in releases}
