"""Small clusters whose API server consists of functions, and objects for them."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.cluster.fake_apiserver import NOT_SERVED, FakeTransport, answer
from webhook.audit.audit import audit
from webhook.audit.scope import Scope
from webhook.check.check import Settings
from webhook.cluster.live_reads import path_of
from webhook.cluster.pages import Lister
from webhook.cluster.ports import Answer
from webhook.objects.kinds import KINDS, Kind, find_kind
from webhook.report.audited import Audit, Audited

Manifest = dict[str, Any]
EVERYTHING, DEFAULT = Scope(), Settings()
FORBIDDEN = answer({"kind": "Status", "reason": "Forbidden"}, 403)


def named(api_version: str, kind: str, name: str, namespace: str = "", **more: Any) -> Manifest:
    metadata = {"name": name, "uid": f"uid-{namespace}-{name}"} | more.pop("metadata", {})
    if namespace:
        metadata["namespace"] = namespace
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **more}


def kubevirt(**configuration: Any) -> Manifest:
    status = {"observedKubeVirtVersion": "v1.9.0"}
    return named(
        "kubevirt.io/v1", "KubeVirt", "kubevirt", "kubevirt", spec={"configuration": configuration}, status=status
    )


def claim(name: str, namespace: str = "shop", mode: str = "ReadWriteMany") -> Manifest:
    return named("v1", "PersistentVolumeClaim", name, namespace, spec={"accessModes": [mode]})


def vmi_spec(*claims: str, **spec: Any) -> Manifest:
    volumes = [
        {"name": f"disk{number}", "persistentVolumeClaim": {"claimName": one}} for number, one in enumerate(claims)
    ]
    interfaces = [{"name": "default", "masquerade": {}}]
    devices = {"disks": [{"name": volume["name"]} for volume in volumes], "interfaces": interfaces}
    return {
        "domain": {"devices": devices, "memory": {"guest": "1Gi"}, "cpu": {"model": "Haswell"}},
        "networks": [{"name": "default", "pod": {}}],
        "volumes": volumes,
        "evictionStrategy": "LiveMigrate",
    } | spec


def vm(
    name: str, *claims: str, namespace: str = "shop", labels: Any = None, metadata: Any = None, **spec: Any
) -> Manifest:
    template = {"metadata": {"labels": labels or {}}, "spec": vmi_spec(*claims, **spec)}
    whole = {"runStrategy": "Always", "template": template}
    return named("kubevirt.io/v1", "VirtualMachine", name, namespace, spec=whole, metadata=metadata or {})


def running(machine: Manifest, *, of: Manifest | None = None, **conditions: str) -> Manifest:
    """
    The VMI of a VirtualMachine, with conditions such as ``LiveMigratable="False DisksNotLiveMigratable"``.

    ``of`` is the VirtualMachine as it was when the VMI started.
    """
    namespace, name = machine["metadata"]["namespace"], machine["metadata"]["name"]
    owner = {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "name": name,
        "uid": machine["metadata"]["uid"],
        "controller": True,
    }
    spec = (of or machine)["spec"]["template"]["spec"]
    metadata = {"ownerReferences": [owner], "uid": f"vmi-{namespace}-{name}"}
    return named(
        "kubevirt.io/v1",
        "VirtualMachineInstance",
        name,
        namespace,
        metadata=metadata,
        spec=spec,
        status=status_of(conditions),
    )


def status_of(conditions: Mapping[str, str]) -> Manifest:
    listed = []
    for kind, text in conditions.items():
        status, _, reason = text.partition(" ")
        listed.append({"type": kind, "status": status, **({"reason": reason} if reason else {})})
    return {"phase": "Running", "conditions": listed}


@dataclass
class FakeCluster:
    """An API server with these objects. ``forbidden`` names kinds, and ``only`` the namespaces that may be listed."""

    objects: list[Manifest]
    forbidden: Collection[str] = ()
    only: Collection[str] = ()
    absent: Collection[str] = ()
    """Kinds that are not served."""
    page: int = 500
    transport: FakeTransport = field(init=False)

    def __post_init__(self) -> None:
        self.transport = FakeTransport(self._get)

    def _get(self, path: str, query: Mapping[str, str]) -> Answer:
        for kind in KINDS:
            version = kind.versions[0]
            if path == path_of(kind, version):
                return self._listed(kind, "", query)
            for namespace in self._namespaces():
                if kind.namespaced and path == path_of(kind, version, namespace):
                    return self._listed(kind, namespace, query)
        return NOT_SERVED

    def _namespaces(self) -> set[str]:
        return {one["metadata"].get("namespace", "") for one in self.objects} | set(self.only)

    def _listed(self, kind: Kind, namespace: str, query: Mapping[str, str]) -> Answer:
        if kind.kind in self.absent:
            return NOT_SERVED
        if kind.kind in self.forbidden or (self.only and namespace not in self.only):
            return FORBIDDEN
        every = [
            {key: value for key, value in one.items() if key not in ("apiVersion", "kind")}
            for one in self.objects
            if find_kind(one["apiVersion"], one["kind"]) is kind
            and (not namespace or one["metadata"].get("namespace") == namespace)
        ]
        every.sort(key=lambda one: f"{one['metadata'].get('namespace', '')}/{one['metadata']['name']}")  # as etcd does
        begin = int(query.get("continue") or 0)
        end = begin + self.page
        metadata = {"resourceVersion": "1", "continue": str(end) if end < len(every) else ""}
        return Answer(200, json.dumps({"metadata": metadata, "items": every[begin:end]}).encode())


def audit_of(
    objects: Iterable[Manifest], scope: Scope = EVERYTHING, settings: Settings = DEFAULT, **more: Any
) -> Audit:
    """The audit of a cluster with these objects, and with a KubeVirt CR if there is none among them."""
    every = list(objects)
    if not any(one["kind"] == "KubeVirt" for one in every):
        every.append(kubevirt())
    return audit(Lister(FakeCluster(every, **more).transport, 60.0), settings, scope)


def by_name(audited: Audit) -> dict[str, Audited]:
    """The audited VMs by name. A VMI that is reported beside its VM has the name ``vmi/NAME``."""
    named_objects = {}
    for one in audited.objects:
        prefix = "vmi/" if one.report.kind == "VirtualMachineInstance" else ""
        named_objects[prefix + one.report.name] = one
    return named_objects


def rules_of(audited: Audited) -> list[str]:
    return [finding.rule for finding in audited.report.findings]
