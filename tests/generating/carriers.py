"""The kinds that carry a VMI: VirtualMachine, VirtualMachineInstance, VirtualMachineInstanceReplicaSet, VirtualMachinePool."""

from typing import Any

from hypothesis import strategies as st

from tests.generating.specs import specs
from tests.generating.words import (
    ACCESS_MODES,
    ANNOTATIONS,
    BOOLEANS,
    CLAIMS,
    CLASSES,
    INSTANCETYPES,
    LABELS,
    NAMESPACE,
    PREFERENCES,
    REVISIONS,
    VMI_ANNOTATIONS,
    VOLUME_MODES,
    VOLUMES,
    Manifest,
    Manifests,
    fields,
    merged,
    metadata,
    name_of,
)

VERSIONS = st.sampled_from(("kubevirt.io/v1", "kubevirt.io/v1alpha3"))
POOL_VERSIONS = st.sampled_from(("pool.kubevirt.io/v1beta1", "pool.kubevirt.io/v1alpha1"))
SELECTOR = st.just({"matchLabels": {"app": "web"}})
RUN_STRATEGIES = st.sampled_from(("Always", "Halted", "Manual", "RerunOnFailure", "Once"))


def instances() -> Manifests:
    """A VirtualMachineInstance; with ``status.migratedVolumes`` where a volume migration is under way."""
    migrated = fields(migratedVolumes=st.lists(fields({"volumeName": name_of(VOLUMES)}), max_size=1))
    return _object(
        VERSIONS,
        "VirtualMachineInstance",
        metadata(st.just("vmi"), annotations=VMI_ANNOTATIONS, labels=LABELS),
        specs(),
        status=migrated,
    )


def machines() -> Manifests:
    """A VirtualMachine."""
    noted = fields({"name": name_of(INSTANCETYPES)}, controllerRevisionRef=fields({"name": name_of(REVISIONS)}))
    return _object(
        VERSIONS,
        "VirtualMachine",
        metadata(st.just("vm"), annotations=VMI_ANNOTATIONS, labels=LABELS),
        machine_specs(),
        status=fields(instancetypeRef=noted),
    )


def replica_sets() -> Manifests:
    """A VirtualMachineInstanceReplicaSet."""
    spec = fields({"selector": SELECTOR, "template": _templates()}, replicas=st.integers(0, 3), paused=BOOLEANS)
    return _object(VERSIONS, "VirtualMachineInstanceReplicaSet", metadata(st.just("set")), spec)


def pools() -> Manifests:
    """A VirtualMachinePool."""
    template = fields({"spec": machine_specs()}, metadata=fields(annotations=ANNOTATIONS, labels=LABELS))
    spec = fields({"selector": SELECTOR, "virtualMachineTemplate": template}, replicas=st.integers(0, 3))
    return _object(POOL_VERSIONS, "VirtualMachinePool", metadata(st.just("pool")), spec)


def carriers() -> Manifests:
    """Any of the four; VirtualMachines most often."""
    return st.one_of(machines(), instances(), machines(), replica_sets(), pools())


def machine_specs() -> Manifests:
    """``VirtualMachine.spec``: starts by ``runStrategy`` or by ``running``, never by both."""
    start = st.one_of(fields({"runStrategy": RUN_STRATEGIES}), fields({"running": BOOLEANS}))
    rest = fields(
        {"template": _templates()},
        instancetype=references("VirtualMachineInstancetype", INSTANCETYPES),
        preference=references("VirtualMachinePreference", PREFERENCES),
        dataVolumeTemplates=st.lists(data_volume_templates(), max_size=3),
        updateVolumesStrategy=st.sampled_from(("Migration", "Replacement")),
    )
    return st.builds(_with_preference_alone, st.builds(_on_templates, merged(start, rest), BOOLEANS), st.integers(0, 5))


def _with_preference_alone(spec: Manifest, drawn: int) -> Manifest:
    """One of six VMs has no instancetype and no ``domain.cpu``, as small VMs have."""
    if drawn == 0:
        spec.pop("instancetype", None)
        spec["template"]["spec"]["domain"].pop("cpu", None)
    return spec


def _on_templates(spec: Manifest, used: bool) -> Manifest:
    """With a volume on the first dataVolumeTemplate, as most VMs with templates have."""
    templates = spec.get("dataVolumeTemplates")
    if used and templates:
        volumes = spec["template"]["spec"].setdefault("volumes", [])
        volumes.append({"name": "of-template", "dataVolume": {"name": templates[0]["metadata"]["name"]}})
    return spec


def references(kind: str, names: tuple[str, ...]) -> Manifests:
    """``spec.instancetype`` or ``spec.preference``: by name, in a revision, or inferred from a volume."""
    kinds = st.sampled_from((kind, kind.replace("Machine", "MachineCluster"), kind.lower() + "s"))
    named = fields({"name": name_of(names)}, kind=kinds, revisionName=name_of(REVISIONS))
    inferred = fields(
        {"inferFromVolume": name_of(VOLUMES)}, inferFromVolumeFailurePolicy=st.sampled_from(("Reject", "Ignore"))
    )
    return st.one_of(named, named, inferred)


def data_volume_specs() -> Manifests:
    """``DataVolume.spec``: ``pvc`` or ``storage``, from a registry, a claim or a DataSource."""
    asked = fields(
        accessModes=ACCESS_MODES,
        volumeMode=VOLUME_MODES,
        storageClassName=name_of(CLASSES),
        resources=st.just({"requests": {"storage": "10Gi"}}),
    )
    origin = st.one_of(
        fields({"source": fields({"pvc": fields({"name": name_of(CLAIMS), "namespace": st.just(NAMESPACE)})})}),
        st.just({"source": {"registry": {"url": "docker://registry.example.org/disk:1"}}}),
        fields({"sourceRef": fields({"kind": st.just("DataSource"), "name": st.just("golden")})}),
    )
    return merged(origin, st.one_of(fields({"storage": asked}), fields({"pvc": asked})))


def data_volume_templates() -> Manifests:
    """An entry of ``dataVolumeTemplates``."""
    return fields({"metadata": fields({"name": name_of(CLAIMS)}), "spec": data_volume_specs()})


def _templates() -> Manifests:
    return fields({"spec": specs()}, metadata=fields(annotations=VMI_ANNOTATIONS, labels=LABELS))


def _object(
    versions: st.SearchStrategy[str], kind: str, meta: Manifests, spec: Manifests, **more: st.SearchStrategy[Any]
) -> Manifests:
    return fields({"apiVersion": versions, "kind": st.just(kind), "metadata": meta, "spec": spec}, **more)
