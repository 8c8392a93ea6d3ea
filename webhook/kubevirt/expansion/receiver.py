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
from webhook.objects.kubevirt import Configuration

GATE: Final = "DecentralizedLiveMigration"


def receives(configuration: Fact[Configuration], releases: Releases) -> bool:
    """
    Whether a VM that waits for a migration receives one. If the KubeVirt CR is unknown, the gate counts as on, because KubeVirt
    refuses such a VM if the gate is off.
    """
    if isinstance(configuration, Unknown):
        return bool(releases & GATES[GATE].known)
    return bool(gate_is_on(configuration, GATE, releases))
