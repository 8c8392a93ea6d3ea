"""
Why virt-controller creates no target pod for a VMI, apart from quotas and limit ranges of pods.

Source: ``handleTargetPodCreation`` of ``pkg/virt-controller/watch/migration/migration.go``, v1.3.1 to v1.9.0;
``plugin/pkg/admission/priority/admission.go`` of Kubernetes v1.34.
"""

import msgspec

from webhook.drain.inputs import Inputs
from webhook.kubevirt.settings.settings import PARALLEL_CLUSTER, PARALLEL_OUTBOUND
from webhook.objects.pods import Pod
from webhook.objects.quotas import PriorityClass


class Hindrance(msgspec.Struct, frozen=True):
    """A cause that lasts until an administrator acts."""

    message: str
    remedy: str


def hindrance(inputs: Inputs, target: Pod) -> Hindrance | None:
    """The first cause that keeps the target pod from being created, or None."""
    for setting, limit in ((PARALLEL_OUTBOUND, inputs.outbound), (PARALLEL_CLUSTER, inputs.in_cluster)):
        if limit <= 0:
            return Hindrance(
                f"{setting} is {limit}, so virt-controller starts no migration.",
                f"Set spec.configuration.migrations.{setting} of the KubeVirt CR to 1 or more.",
            )
    name = target.spec.priority_class_name
    if name and PriorityClass in inputs.fleet.complete and name not in inputs.priority_classes:
        return Hindrance(
            f"The API server refuses the target pod: no PriorityClass with name {name} was found.",
            f"Create PriorityClass {name}, or change priorityClassName of the VM.",
        )
    return None
