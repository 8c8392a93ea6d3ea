"""
Feature-gate arithmetic.

Source: ``pkg/virt-config/featuregate/feature-gates.go``, v1.9.0; before 1.9 a gate is on when it is GA or listed.
"""

from webhook.facts.unknown import Fact, Unknown
from webhook.kubevirt.feature_gates import GATES
from webhook.kubevirt.releases import Release, Releases, since
from webhook.objects.kubevirt import Configuration

VGPU_LIVE_MIGRATION = "VGPULiveMigration"
VGPU_KNOWN: Releases = since(Release(1, 9))
"""The gate is first registered in v1.9.0, as alpha: off unless it is listed."""


def alpha_gate_is_on(configuration: Configuration, gate: str) -> bool:
    """Whether an alpha gate is on: only when ``developerConfiguration.featureGates`` lists it, which outranks disabling."""
    developer = configuration.developer_configuration
    return developer is not None and gate in (developer.feature_gates or ())


HOTPLUG_BY_STATUS = "HotplugVolumes"
HOTPLUG_BY_TEMPLATE = "DeclarativeHotplugVolumes"


def plugs_from_template(configuration: Fact[Configuration], releases: Releases) -> bool:
    """
    Whether virt-controller may plug a volume that is added to the template of a running VM.

    Source: ``pkg/virt-controller/watch/vm/vm.go`` handleDeclarativeVolumeHotplug, v1.6.0 to v1.9.0: the older gate outranks
    the newer one.
    """
    gate = GATES[HOTPLUG_BY_TEMPLATE]
    if isinstance(configuration, Unknown):
        return bool(releases & gate.known)
    developer = configuration.developer_configuration
    listed = (developer.feature_gates if developer is not None else None) or ()
    disabled = (developer.disabled_feature_gates if developer is not None else None) or ()
    if HOTPLUG_BY_STATUS in listed:
        return False
    if HOTPLUG_BY_TEMPLATE in listed:
        return bool(releases & gate.known)
    return HOTPLUG_BY_TEMPLATE not in disabled and bool(releases & gate.needless)
