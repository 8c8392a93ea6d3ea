"""The kinds that carry a VM, and how little of one is kept where only its labels are asked for."""

from webhook.kubevirt.subject import subject_of
from webhook.objects.meta import Kubernetes, ObjectMeta
from webhook.objects.vm import (
    PoolSpec,
    ReplicaSetSpec,
    VirtualMachine,
    VirtualMachineInstanceReplicaSet,
    VirtualMachinePool,
    VirtualMachineSpec,
    VirtualMachineTemplate,
)
from webhook.objects.vmi import VirtualMachineInstance, VMITemplate

CARRIERS: tuple[type[Kubernetes], ...] = (
    VirtualMachine,
    VirtualMachineInstance,
    VirtualMachineInstanceReplicaSet,
    VirtualMachinePool,
)


def labels_alone(each: Kubernetes) -> Kubernetes:
    """What ``selecting.labelled`` reads of a VM; any other object is left as it is."""
    if not isinstance(each, CARRIERS):
        return each
    subject = subject_of(each)
    labels = subject.meta.labels if subject is not None else None
    template = VMITemplate(metadata=ObjectMeta(labels=labels))
    meta = ObjectMeta(each.meta.name, each.meta.generate_name, each.meta.namespace, labels=each.meta.labels)
    if isinstance(each, VirtualMachine):
        return VirtualMachine(each.api_version, each.kind, meta, VirtualMachineSpec(template=template))
    if isinstance(each, VirtualMachineInstance):
        return VirtualMachineInstance(each.api_version, each.kind, meta)
    if isinstance(each, VirtualMachineInstanceReplicaSet):
        return VirtualMachineInstanceReplicaSet(each.api_version, each.kind, meta, ReplicaSetSpec(template=template))
    outer = subject.outer.labels if subject is not None else None
    machine = VirtualMachineTemplate(ObjectMeta(labels=outer), VirtualMachineSpec(template=template))
    return VirtualMachinePool(each.api_version, each.kind, meta, PoolSpec(virtual_machine_template=machine))
