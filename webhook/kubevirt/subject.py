"""One shape for everything that carries a VMI: where its parts stand in the judged object."""

from collections.abc import Mapping

import msgspec

from webhook.objects.meta import NO_META, Kubernetes, ObjectMeta
from webhook.objects.path import FieldPath
from webhook.objects.storage import DataVolumeSpec, DataVolumeTemplate
from webhook.objects.vm import (
    NO_SPEC,
    VirtualMachine,
    VirtualMachineInstanceReplicaSet,
    VirtualMachinePool,
    VirtualMachineSpec,
    VirtualMachineStatus,
)
from webhook.objects.vmi import VirtualMachineInstance, VMISpec, VMIStatus

NO_VM = VirtualMachineSpec()


class Subject(msgspec.Struct, frozen=True):
    """A VMI to be, with what its owner says of it."""

    kind: str
    namespace: str
    name: str
    base: FieldPath
    """The path of the ``VMISpec``."""
    owner: FieldPath
    """The path of the ``VirtualMachineSpec`` around it, if there is one."""
    meta: ObjectMeta
    """Metadata that the VMI will carry."""
    outer: ObjectMeta
    """Metadata of the judged object; the same as ``meta`` for a VMI."""
    spec: VMISpec
    vm: VirtualMachineSpec
    vm_status: VirtualMachineStatus | None = None
    vmi_status: VMIStatus | None = None

    @property
    def renames_templates(self) -> bool:
        """
        Whether claims of ``dataVolumeTemplates`` get other names than the templates have: a pool numbers them.

        Source: ``pkg/virt-controller/watch/pool/pool.go`` indexVMSpec, v1.9.0.
        """
        return self.kind == "VirtualMachinePool"

    @property
    def data_volumes(self) -> Mapping[str, DataVolumeSpec]:
        """
        ``dataVolumeTemplates`` by name; of several entries with one name the first, which is the one that counts.

        virt-api accepts such a list. virt-controller creates the DataVolume of the first entry and finds it there when it
        comes to the next (``handleDataVolumes``, ``pkg/virt-controller/watch/vm.go`` v1.0.1 to v1.3.1 and
        ``pkg/virt-controller/watch/vm/vm.go`` v1.4.1 to v1.9.0); inference takes the first one, too
        (``pkg/instancetype/infer/volume.go`` fromDataVolume, v1.9.0).
        """
        found: dict[str, DataVolumeSpec] = {}
        for each in self.vm.data_volume_templates or ():
            if each.spec is not None:
                found.setdefault(name_of_template(each), each.spec)
        return found


def name_of_template(template: DataVolumeTemplate) -> str:
    """``metadata.name``; empty where there is none."""
    return (template.metadata or NO_META).name or ""


def subject_of(judged: Kubernetes) -> Subject | None:
    """The VMI in ``judged``, or None for kinds that carry none."""
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
