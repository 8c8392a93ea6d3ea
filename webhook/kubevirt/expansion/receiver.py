"""
Whether a VM waits to receive a migration from another cluster or namespace (decentralized live migration).

KubeVirt copies the disks of such a VM, so its claims need not be ReadWriteMany before the migration ends. KubeVirt accepts run
strategy WaitAsReceiver only with feature gate DecentralizedLiveMigration
(``pkg/virt-api/webhooks/validating-webhook/admitters/vms-admitter.go``, v1.6.6 to v1.9.0).
"""

from typing import Final

from webhook.facts.unknown import Fact, Unknown
from webhook.kubevirt.feature_gates import GATES, gate_is_on
from webhook.kubevirt.releases import Releases
from webhook.kubevirt.subject import Subject
from webhook.objects.kubevirt import Configuration

WAIT_AS_RECEIVER: Final = "WaitAsReceiver"
TARGET: Final = "kubevirt.io/create-migration-target"
"""The annotation that virt-controller sets on the VMI of a receiver."""
GATE: Final = "DecentralizedLiveMigration"


def is_receiver(subject: Subject, configuration: Fact[Configuration], releases: Releases) -> bool:
    """
    Whether the VM is a receiver. If the KubeVirt CR is unknown, the gate counts as on, because KubeVirt refuses such a VM if
    the gate is off.
    """
    annotations = subject.meta.annotations or {}
    if subject.vm.run_strategy != WAIT_AS_RECEIVER and annotations.get(TARGET) != "true":
        return False
    if isinstance(configuration, Unknown):
        return bool(releases & GATES[GATE].known)
    return bool(gate_is_on(configuration, GATE, releases))
