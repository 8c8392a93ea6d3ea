"""
Feature-gate arithmetic.

Source: ``pkg/virt-config/featuregate/feature-gates.go``, v1.9.0; before 1.9 a gate is on when it is GA or listed.
"""

from webhook.kubevirt.releases import Release, Releases, since
from webhook.objects.kubevirt import Configuration

VGPU_LIVE_MIGRATION = "VGPULiveMigration"
VGPU_KNOWN: Releases = since(Release(1, 9))
"""The gate is first registered in v1.9.0, as alpha: off unless it is listed."""


def alpha_gate_is_on(configuration: Configuration, gate: str) -> bool:
    """Whether an alpha gate is on: only when ``developerConfiguration.featureGates`` lists it, which outranks disabling."""
    developer = configuration.developer_configuration
    return developer is not None and gate in (developer.feature_gates or ())
