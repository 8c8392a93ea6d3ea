"""Finds the VMI in a judged object, such as the template in a VirtualMachine, and the paths of the VMI's parts."""

from collections.abc import Mapping

import msgspec

from webhook.objects.meta import NO_META, Kubernetes, ObjectMeta
from webhook.objects.path import FieldPath
from webhook.objects.storage import DataVolumeSpec, DataVolumeTemplate
from webhook.objects.vm import (
    NO_SPEC,
    PoolSpec,
    ReplicaSetSpec,
    VirtualMachine,
    VirtualMachineInstanceReplicaSet,
    VirtualMachinePool,
    VirtualMachineSpec,
    VirtualMachineStatus,
    VirtualMachineTemplate,
)
from webhook.objects.vmi import VirtualMachineInstance, VMISpec, VMIStatus, VMITemplate

NO_VM = VirtualMachineSpec()
VM_KINDS: tuple[type[Kubernetes], ...] = (
    VirtualMachine,
    VirtualMachineInstance,
    VirtualMachineInstanceReplicaSet,
    VirtualMachinePool,
)
"""The kinds of objects that are a VMI or contain one."""


class Subject(msgspec.Struct, frozen=True):
    """The VMI in a judged object, with the fields of the VirtualMachine around it."""

    kind: str
    namespace: str
    name: str
    base: FieldPath
    """The path of the ``VMISpec``."""
    owner: FieldPath
    """The path of the ``VirtualMachineSpec`` that contains the VMI, or an empty path if there is none."""
    meta: ObjectMeta
    """Metadata of the VMI."""
    outer: ObjectMeta
    """Metadata of the judged object. For a VMI, this is the same as ``meta``."""
    spec: VMISpec
    vm: VirtualMachineSpec
    vm_status: VirtualMachineStatus | None = None
    vmi_status: VMIStatus | None = None

    @property
    def renames_templates(self) -> bool:
        """
        Whether KubeVirt renames the claims of ``dataVolumeTemplates``. A pool appends a number to each name.

        Source: ``pkg/virt-controller/watch/pool/pool.go`` indexVMSpec, v1.9.0.
        """
        return self.kind == "VirtualMachinePool"

    @property
    def data_volumes(self) -> Mapping[str, DataVolumeSpec]:
        """
        ``dataVolumeTemplates`` by name. If several entries have the same name, the first one counts.

        virt-api accepts duplicate names. virt-controller creates the DataVolume of the first entry, and uses this DataVolume
        for later entries with the same name (``handleDataVolumes``, ``pkg/virt-controller/watch/vm.go`` v1.0.1 to v1.3.1 and
        ``pkg/virt-controller/watch/vm/vm.go`` v1.4.1 to v1.9.0). Inference also uses the first entry
        (``pkg/instancetype/infer/volume.go`` fromDataVolume, v1.9.0).
        """
        specs: dict[str, DataVolumeSpec] = {}
        for template in self.vm.data_volume_templates or ():
            if template.spec is not None:
                specs.setdefault(name_of_template(template), template.spec)
        return specs


def name_of_template(template: DataVolumeTemplate) -> str:
    """The ``metadata.name`` of a template, or an empty text if the template has no name."""
    return (template.metadata or NO_META).name or ""


def subject_of(judged: Kubernetes) -> Subject | None:
    """The VMI in ``judged``, or None for other kinds."""
    namespace, name, meta = judged.namespace, judged.name, judged.meta
    if isinstance(judged, VirtualMachine):
        return _of_vm(judged.spec, ("spec",), namespace, name, meta, judged.status, "VirtualMachine")
    if isinstance(judged, VirtualMachineInstance):
        return Subject(
            "VirtualMachineInstance",
            namespace,
            name,
            ("spec",),
            (),
            meta,
            meta,
            judged.spec,
            NO_VM,
            None,
            judged.status,
        )
    if isinstance(judged, VirtualMachineInstanceReplicaSet):
        template = judged.spec.template
        return Subject(
            "VirtualMachineInstanceReplicaSet",
            namespace,
            name,
            ("spec", "template", "spec"),
            (),
            (template.metadata if template else None) or NO_META,
            meta,
            (template.spec if template else None) or NO_SPEC,
            NO_VM,
        )
    if isinstance(judged, VirtualMachinePool):
        outer = judged.spec.virtual_machine_template
        vm = (outer.spec if outer else None) or NO_VM
        path: FieldPath = ("spec", "virtualMachineTemplate", "spec")
        return _of_vm(
            vm, path, namespace, name, (outer.metadata if outer else None) or NO_META, None, "VirtualMachinePool"
        )
    return None


def controlling_vm(owned: Kubernetes) -> str:
    """The name of the VirtualMachine that controls an object, or an empty text."""
    owners = owned.meta.owner_references or ()
    return next((owner.name for owner in owners if owner.controller and owner.kind == VirtualMachine.__name__), "")


def with_labels_only(judged: Kubernetes) -> Kubernetes:
    """
    Reduces a VM to the fields that lookups of other VMs read, to save memory: the labels, the owners and the number of running
    VMIs. Other objects stay unchanged.
    """
    if not isinstance(judged, VM_KINDS):
        return judged
    meta = ObjectMeta(
        judged.meta.name,
        judged.meta.generate_name,
        judged.meta.namespace,
        labels=judged.meta.labels,
        owner_references=judged.meta.owner_references,
    )
    if isinstance(judged, VirtualMachine):
        vm = VirtualMachineSpec(
            judged.spec.running, judged.spec.run_strategy, template=_labels_only(judged.spec.template)
        )
        return VirtualMachine(judged.api_version, judged.kind, meta, vm)
    if isinstance(judged, VirtualMachineInstance):
        return VirtualMachineInstance(judged.api_version, judged.kind, meta)
    if isinstance(judged, VirtualMachineInstanceReplicaSet):
        spec = ReplicaSetSpec(judged.spec.replicas, template=_labels_only(judged.spec.template))
        return VirtualMachineInstanceReplicaSet(judged.api_version, judged.kind, meta, spec)
    assert isinstance(judged, VirtualMachinePool)  # noqa: S101 - narrows for the type checker
    outer = judged.spec.virtual_machine_template
    inner = outer.spec.template if outer is not None and outer.spec is not None else None
    labels = outer.metadata.labels if outer is not None and outer.metadata is not None else None
    machine = VirtualMachineTemplate(ObjectMeta(labels=labels), VirtualMachineSpec(template=_labels_only(inner)))
    pool = PoolSpec(judged.spec.replicas, virtual_machine_template=machine)
    return VirtualMachinePool(judged.api_version, judged.kind, meta, pool)


def _labels_only(template: VMITemplate | None) -> VMITemplate:
    metadata = template.metadata if template is not None else None
    return VMITemplate(ObjectMeta(labels=metadata.labels if metadata is not None else None))


def _of_vm(
    vm: VirtualMachineSpec,
    path: FieldPath,
    namespace: str,
    name: str,
    outer: ObjectMeta,
    status: VirtualMachineStatus | None,
    kind: str,
) -> Subject:
    template = vm.template
    return Subject(
        kind,
        namespace,
        name,
        (*path, "template", "spec"),
        path,
        (template.metadata if template else None) or NO_META,
        outer,
        (template.spec if template else None) or NO_SPEC,
        vm,
        status,
    )
