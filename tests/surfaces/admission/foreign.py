"""A tenant's requests that refer to other namespaces, and an endpoint that knows the rights of each user. Builders only."""

import json
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from tests.surfaces.admission.reviews import TENANT, Manifest, read, vm
from webhook.check.check import ReleaseChoice
from webhook.cluster.access_reviews import User
from webhook.cluster.readable import Rights
from webhook.facts.objects_world import ObjectsWorld
from webhook.kubevirt.releases import NEWEST, only
from webhook.objects.kinds import KINDS
from webhook.policy.policy import Policy
from webhook.serve.manifest_facts import ManifestSource
from webhook.serve.metrics import Metrics
from webhook.surfaces.admission.disclosure import Disclosure
from webhook.surfaces.admission.endpoint import ActiveConfiguration, AdmissionApp

POSTED = [("content-type", "application/json")]
IMAGES, OTHERS = "images", "others"
EVERY_KIND = tuple(kind.reads for kind in KINDS)


class Readers:
    """SubjectAccessReviews that grant every user everything in some namespaces."""

    def __init__(self, namespaces: Collection[str] = (), wait: Callable[[], object] = bool) -> None:
        self.namespaces = namespaces
        self.wait = wait
        self.asked: list[User] = []

    def may(self, user: User, attributes: Mapping[str, str], _timeout_seconds: float) -> bool:
        self.asked.append(user)
        self.wait()
        return attributes.get("namespace") in self.namespaces


class Known(ManifestSource):
    """A cluster that consists of these objects."""

    def __init__(self, objects: Sequence[Manifest]) -> None:
        super().__init__([])
        self._world = ObjectsWorld([read(manifest) for manifest in objects], EVERY_KIND)


def guarded(objects: Sequence[Manifest], readers: Readers, policy: Policy | None = None) -> AdmissionApp:
    """A door in front of a cluster of these objects."""
    now = ActiveConfiguration(policy or Policy(), ReleaseChoice(only(NEWEST), str(NEWEST)), "kubevirt", "2026-01-01")
    return AdmissionApp(Known(objects), lambda: now, Metrics(), time.monotonic, disclosure=Disclosure(Rights(readers)))


def named(api_version: str, kind: str, name: str, namespace: str = "", **fields: Any) -> Manifest:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


def labelled(made: Manifest, **labels: str) -> Manifest:
    """The object, which names an ``instancetype`` or a ``preference``."""
    marks = {f"instancetype.kubevirt.io/default-{key}": value for key, value in labels.items()}
    return made | {"metadata": made["metadata"] | {"labels": marks}}


def claim(name: str, namespace: str = IMAGES) -> Manifest:
    return named("v1", "PersistentVolumeClaim", name, namespace, spec={"accessModes": ["ReadWriteOnce"]})


def data_source(name: str, source: Manifest, namespace: str = IMAGES) -> Manifest:
    return named("cdi.kubevirt.io/v1beta1", "DataSource", name, namespace, spec={"source": source})


def instancetype(name: str, *gpus: str) -> Manifest:
    devices = [{"name": gpu, "deviceName": gpu} for gpu in gpus]
    spec = {"cpu": {"guest": 1}, "memory": {"guest": "1Gi"}, **({"gpus": devices} if gpus else {})}
    return named("instancetype.kubevirt.io/v1beta1", "VirtualMachineClusterInstancetype", name, spec=spec)


def network(name: str, namespace: str, subnet: str) -> Manifest:
    ipam = {"type": "host-local", "subnet": subnet}
    config = {"cniVersion": "0.3.1", "name": name, "type": "macvlan", "master": "eth1", "ipam": ipam}
    kind = "NetworkAttachmentDefinition"
    return named("k8s.cni.cncf.io/v1", kind, name, namespace, spec={"config": json.dumps(config)})


def kubevirt(migration_network: str, **more: Any) -> Manifest:
    configuration = {"migrations": {"network": migration_network}} | more
    return named("kubevirt.io/v1", "KubeVirt", "kubevirt", "kubevirt", spec={"configuration": configuration})


def inferring(disk: Manifest, what: str = "instancetype", **matcher: str) -> Manifest:
    """A VM that infers its instancetype or preference from a DataVolume made of ``disk``."""
    storage = {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}}
    outer = {
        what: {"inferFromVolume": "os"} | matcher,
        "dataVolumeTemplates": [{"metadata": {"name": "os"}, "spec": {"storage": storage} | disk}],
    }
    return vm(outer=outer, volumes=[{"name": "os", "dataVolume": {"name": "os"}}])


def cloning(name: str, namespace: str = IMAGES) -> Manifest:
    """The source of a DataVolume: a claim."""
    return {"source": {"pvc": {"name": name, "namespace": namespace}}}


def tenants_network(subnet: str) -> Manifest:
    """The migration network, in the tenant's namespace."""
    return network("migration", TENANT, subnet)
