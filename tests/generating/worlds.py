"""The cluster around a VM: claims and their templates, instancetypes, preferences, settings, networks and nodes."""

from typing import Any, TypeAlias

from hypothesis import strategies as st

from tests.generating.carriers import data_volume_specs
from tests.generating.settings import kubevirts, migration_policies, networks
from tests.generating.specs import features
from tests.generating.words import (
    ACCESS_MODES,
    ANY_TEXT,
    ARCHITECTURES,
    BOOLEANS,
    CLAIMS,
    CLASSES,
    CPU_MODELS,
    EMPTY,
    INFER,
    INSTANCETYPES,
    MEDIATED,
    NAMESPACE,
    PREFERENCES,
    REVISIONS,
    SIZES,
    VMI_ANNOTATIONS,
    VOLUME_MODES,
    Manifest,
    Manifests,
    fields,
    metadata,
    name_of,
    one_of_fields,
    some,
)

World: TypeAlias = list[Manifest]
INFERENCE = fields(
    **{
        f"{INFER}instancetype": name_of(INSTANCETYPES),
        f"{INFER}preference": name_of(PREFERENCES),
        f"{INFER}instancetype-kind": st.just("VirtualMachineInstancetype"),
        "cdi.kubevirt.io/applyStorageProfile": st.sampled_from(("true", "false")),
    }
)


def worlds() -> st.SearchStrategy[World]:
    """Some objects of each kind, no two of one kind and name; at most one KubeVirt CR."""
    return st.tuples(
        _several(claims(), 4),
        _several(data_volumes(), 2),
        _several(data_sources(), 1),
        _several(storage_classes(), 2),
        _several(storage_profiles(), 2),
        _several(kubevirts(), 1),
        _several(instancetypes(), 3),
        _several(preferences(), 3),
        _several(revisions(), 2),
        _several(networks(), 2),
        _several(migration_policies(), 2),
        _several(nodes(), 2),
    ).map(lambda lists: [manifest for one in lists for manifest in one])


def _several(objects: Manifests, most: int) -> st.SearchStrategy[World]:
    return st.lists(objects, max_size=most, unique_by=lambda one: (one["kind"], one["metadata"]["name"]))


def claims() -> Manifests:
    """A PersistentVolumeClaim."""
    name = name_of((*CLAIMS, "persistent-state-for-vm"))
    spec = fields({"accessModes": ACCESS_MODES}, volumeMode=VOLUME_MODES, storageClassName=name_of(CLASSES))
    return _object("v1", "PersistentVolumeClaim", metadata(name, labels=INFERENCE), spec)


def data_volumes() -> Manifests:
    """A DataVolume."""
    return _object(
        "cdi.kubevirt.io/v1beta1", "DataVolume", metadata(name_of(CLAIMS), labels=INFERENCE), data_volume_specs()
    )


def data_sources() -> Manifests:
    """The DataSource that DataVolumes here refer to."""
    source = fields({"source": fields({"pvc": fields({"name": name_of(CLAIMS), "namespace": st.just(NAMESPACE)})})})
    return _object("cdi.kubevirt.io/v1beta1", "DataSource", metadata(st.just("golden"), labels=INFERENCE), source)


def storage_classes() -> Manifests:
    """A StorageClass, by chance a default one."""
    default = fields(
        **{
            "storageclass.kubernetes.io/is-default-class": st.sampled_from(("true", "false")),
            "storageclass.kubevirt.io/is-default-virt-class": st.just("true"),
        }
    )
    meta = metadata(
        name_of(CLASSES),
        namespaced=False,
        annotations=default,
        creationTimestamp=st.sampled_from(("2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z")),
    )
    return fields(
        {
            "apiVersion": st.just("storage.k8s.io/v1"),
            "kind": st.just("StorageClass"),
            "metadata": meta,
            "provisioner": st.just("example.org/disks"),
        }
    )


def storage_profiles() -> Manifests:
    """A StorageProfile: what CDI knows, what an administrator asked for, or nothing."""
    sets = fields(
        claimPropertySets=st.lists(fields({"accessModes": ACCESS_MODES, "volumeMode": VOLUME_MODES}), max_size=2)
    )
    return _object(
        "cdi.kubevirt.io/v1beta1", "StorageProfile", metadata(name_of(CLASSES), namespaced=False), sets, status=sets
    )


def instancetype_specs() -> Manifests:
    """``spec`` of an instancetype."""
    device = fields({"name": st.just("gpu1"), "deviceName": st.sampled_from((MEDIATED, "nvidia.com/A10"))})
    return fields(
        {
            "cpu": fields(
                {"guest": st.integers(1, 8)},
                model=CPU_MODELS,
                dedicatedCPUPlacement=BOOLEANS,
                isolateEmulatorThread=BOOLEANS,
            ),
            "memory": fields({"guest": SIZES}),
        },
        annotations=VMI_ANNOTATIONS,
        gpus=some(device, 1),
        hostDevices=some(device, 1),
        launchSecurity=one_of_fields(sev=EMPTY, tdx=EMPTY),
    )


def instancetypes() -> Manifests:
    """An instancetype of the namespace or of the cluster."""
    return _either("Instancetype", INSTANCETYPES, instancetype_specs())


def preference_specs() -> Manifests:
    """``spec`` of a preference."""
    feature = fields({"name": st.just("invtsc")}, policy=st.sampled_from(("require", "optional")))
    return fields(
        {"cpu": fields(preferredCPUFeatures=some(feature, 1))},
        annotations=VMI_ANNOTATIONS,
        devices=fields(
            preferredAutoattachPodInterface=BOOLEANS,
            preferredInterfaceMasquerade=EMPTY,
            preferredTPM=fields(persistent=BOOLEANS),
        ),
        features=features().map(lambda drawn: {"preferredHyperv": drawn.get("hyperv", {})}),
        firmware=fields(preferredEfi=fields(persistent=BOOLEANS)),
        volumes=fields(preferredStorageClassName=name_of(CLASSES)),
        preferredArchitecture=ARCHITECTURES,
        preferredLaunchSecurity=one_of_fields(sev=EMPTY, tdx=EMPTY),
    )


def preferences() -> Manifests:
    """A preference of the namespace or of the cluster."""
    return _either("Preference", PREFERENCES, preference_specs())


def revisions() -> Manifests:
    """A ControllerRevision that holds an instancetype, a preference, or junk."""
    data = st.one_of(
        fields({"spec": instancetype_specs()}),
        fields({"spec": preference_specs()}),
        st.sampled_from(({"spec": {"cpu": "junk"}}, {"spec": []}, {})),
        fields(junk=ANY_TEXT),
    )
    return fields(
        {
            "apiVersion": st.just("apps/v1"),
            "kind": st.just("ControllerRevision"),
            "metadata": metadata(name_of(REVISIONS)),
            "data": data,
            "revision": st.just(0),
        }
    )


def nodes() -> Manifests:
    """A node, with what virt-handler and the node labeller write on it."""
    labels = fields(
        **{
            "kubevirt.io/schedulable": st.sampled_from(("true", "false")),
            "host-model-cpu.node.kubevirt.io/Skylake-Server": st.just("true"),
            "cpu-timer.node.kubevirt.io/tsc-frequency": st.sampled_from(("2100000000", "0", "fast")),
        }
    )
    return _object(
        "v1", "Node", metadata(st.sampled_from(("node01", "node02")), namespaced=False, labels=labels), EMPTY
    )


def _either(what: str, names: tuple[str, ...], spec: Manifests) -> Manifests:
    version = "instancetype.kubevirt.io/v1beta1"
    return st.one_of(
        _object(version, f"VirtualMachine{what}", metadata(name_of(names)), spec),
        _object(version, f"VirtualMachineCluster{what}", metadata(name_of(names), namespaced=False), spec),
    )


def _object(version: str, kind: str, meta: Manifests, spec: Manifests, **more: st.SearchStrategy[Any]) -> Manifests:
    return fields({"apiVersion": st.just(version), "kind": st.just(kind), "metadata": meta, "spec": spec}, **more)
