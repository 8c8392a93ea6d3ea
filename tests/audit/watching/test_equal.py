"""A watch and an audit that lists the cluster give the same judgements."""

from collections.abc import Callable
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.audit.clusters import Manifest, claim, kubevirt, named, running, vm, vmi_spec
from tests.audit.watching.watched import Watched, kind_of, place
from webhook.objects.kinds import KINDS
from webhook.report.audit_metrics import Counts

NAMESPACES = ("shop", "bank")
NAMES = ("a", "b")
MODES = ("ReadWriteMany", "ReadWriteOnce")
HOSTNAME = "kubernetes.io/hostname"
APART = {
    "podAntiAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": [
            {"topologyKey": HOSTNAME, "labelSelector": {"matchLabels": {"app": "db"}}}
        ]
    }
}


def _machine(draw: Callable[..., Any], namespace: str, name: str) -> Manifest:
    claims = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=2))
    spec: dict[str, Any] = {}
    if draw(st.booleans()):
        spec["affinity"] = APART
    if draw(st.booleans()):
        spec["evictionStrategy"] = draw(st.sampled_from(["None", "External"]))
    machine = vm(name, *claims, namespace=namespace, labels={"app": draw(st.sampled_from(["db", "web"]))}, **spec)
    if draw(st.booleans()):
        machine["spec"]["instancetype"] = {"kind": "VirtualMachineInstancetype", "name": draw(st.sampled_from(NAMES))}
        del machine["spec"]["template"]["spec"]["domain"]["memory"]
        del machine["spec"]["template"]["spec"]["domain"]["cpu"]
    return machine


@st.composite
def manifests(draw: Callable[..., Any]) -> Manifest:
    """One object of a small cluster, in one of its states."""
    namespace, name = draw(st.sampled_from(NAMESPACES)), draw(st.sampled_from(NAMES))
    kind = draw(st.sampled_from(sorted({one.kind for one in KINDS} - {"KubeVirt"})))
    match kind:
        case "VirtualMachine":
            return _machine(draw, namespace, name)
        case "VirtualMachineInstance":
            machine = _machine(draw, namespace, name)
            condition = draw(st.sampled_from(["True", "False DisksNotLiveMigratable"]))
            vmi = running(machine, LiveMigratable=condition)
            if draw(st.booleans()):
                del vmi["metadata"]["ownerReferences"]
            return vmi
        case "PersistentVolumeClaim":
            return claim(name, namespace, draw(st.sampled_from(MODES)))
        case "DataVolume":
            storage = draw(st.sampled_from([{}, {"accessModes": ["ReadWriteOnce"]}]))
            return named("cdi.kubevirt.io/v1beta1", kind, name, namespace, spec={"storage": storage})
        case "Node":
            labels = {HOSTNAME: name, "kubevirt.io/schedulable": draw(st.sampled_from(["true", "false"]))}
            return named("v1", kind, name, metadata={"labels": labels})
        case "VirtualMachineInstancetype":
            devices = draw(st.sampled_from([{}, {"gpus": [{"name": "gpu", "deviceName": "nvidia.com/T4"}]}]))
            spec = {"cpu": {"guest": 1}, "memory": {"guest": "1Gi"}, **devices}
            return named("instancetype.kubevirt.io/v1beta1", kind, name, namespace, spec=spec)
        case "PodDisruptionBudget":
            spec = {"maxUnavailable": draw(st.integers(0, 1)), "selector": {"matchLabels": {"app": "db"}}}
            return named("policy/v1", kind, name, namespace, spec=spec)
        case "ResourceQuota":
            hard = {"requests.memory": draw(st.sampled_from(["1Gi", "100Gi"]))}
            return named("v1", kind, name, namespace, spec={"hard": hard}, status={"hard": hard, "used": {}})
        case "MigrationPolicy":
            selectors = {"virtualMachineInstanceSelector": {"app": draw(st.sampled_from(["db", "none"]))}}
            spec = {"selectors": selectors, "allowPostCopy": draw(st.booleans())}
            return named("migrations.kubevirt.io/v1alpha1", kind, name, spec=spec)
        case "VirtualMachineInstanceReplicaSet":
            spec = {"template": {"metadata": {"labels": {"app": "db"}}, "spec": vmi_spec(name)}, "replicas": 2}
            return named("kubevirt.io/v1", kind, name, namespace, spec=spec)
        case "NetworkAttachmentDefinition":
            config = draw(st.sampled_from(["{", '{"cniVersion": "0.3.1", "type": "bridge", "bridge": "br0"}']))
            return named("k8s.cni.cncf.io/v1", kind, name, namespace, spec={"config": config})
        case "StorageClass":
            return named("storage.k8s.io/v1", kind, name, provisioner=draw(st.sampled_from(NAMES)))
        case "PersistentVolume":
            reserved = {"namespace": namespace, "name": draw(st.sampled_from(NAMES))}
            spec = {"claimRef": reserved, "hostPath": {}} if draw(st.booleans()) else {"csi": {"driver": "a"}}
            return named("v1", kind, name, spec=spec)
        case "Namespace":
            return named("v1", kind, namespace, metadata={"labels": {"tier": draw(st.sampled_from(NAMES))}})
        case _:
            known = next(one for one in KINDS if one.kind == kind)
            version = f"{known.group}/{known.versions[0]}" if known.group else known.versions[0]
            return named(version, kind, name, namespace if known.namespaced else "", spec={})


NODES = tuple(
    named("v1", "Node", name, metadata={"labels": {HOSTNAME: name, "kubevirt.io/schedulable": "true"}})
    for name in NAMES
)
TIGHT = {"requests.memory": "1Gi"}
SECOND, FIRST = (
    named("v1", "ResourceQuota", name, "shop", spec={"hard": TIGHT}, status={"hard": TIGHT, "used": {}})
    for name in ("b", "a")
)
SETTINGS = st.sampled_from([{}, {"evictionStrategy": "LiveMigrate"}, {"migrations": {"network": "a"}}])


@st.composite
def steps(draw: Callable[..., Any]) -> tuple[str, Manifest]:
    what = draw(st.sampled_from(["put", "put", "put", "remove", "list", "settings", "settle"]))
    return what, kubevirt(**draw(SETTINGS)) if what == "settings" else draw(manifests())


@example([running(vm("a"), LiveMigratable="True"), SECOND], [("put", FIRST)])
@settings(max_examples=150)
@given(st.lists(manifests(), max_size=12), st.lists(steps(), min_size=1, max_size=12))
def test_after_any_changes_the_watch_equals_a_new_audit(
    begin: list[Manifest], changes: list[tuple[str, Manifest]]
) -> None:
    """
    Objects are put, removed and listed again, in any order, and the settings of the cluster change.
    """
    watched = Watched([kubevirt(), *NODES, *begin])
    for what, manifest in changes:
        known = watched.objects.get(
            (manifest["kind"], manifest["metadata"].get("namespace", ""), manifest["metadata"]["name"])
        )
        if what == "settle":
            watched.settle()
        elif what == "list":
            if known is not None:
                del watched.objects[
                    manifest["kind"], manifest["metadata"].get("namespace", ""), known["metadata"]["name"]
                ]
            watched.list_again(kind_of(manifest))
        elif what == "remove":
            watched.remove(*([known] if known is not None else []))
        else:
            watched.put(manifest)
    watched.settle()

    fresh = watched.fresh()

    assert watched.judged() == {place(one): one for one in fresh.objects}
    assert [one.message for one in watched.auditor.results.problems] == [one.message for one in fresh.report.problems]
    assert _series(watched.auditor.results.counts) == _series(Counts(fresh.objects))


def _series(counts: Counts) -> list[tuple[str, dict[tuple[str, ...], float]]]:
    return [(family.name, dict(family.series)) for family in counts.families()]
