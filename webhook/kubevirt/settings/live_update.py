"""The rollout strategy: when KubeVirt applies changes in a VirtualMachine to its running VMI."""

from webhook.kubevirt.releases import Release, before, since

GATE = "VMLiveUpdateFeatures"
GATE_NEEDED = before(Release(1, 5))
LIVE_UPDATE = "LiveUpdate"
LIVE_UPDATE_BY_DEFAULT = since(Release(1, 6))
"""``DefaultVMRolloutStrategy`` of ``pkg/virt-config/virt-config.go`` is Stage up to v1.5.3, and LiveUpdate from v1.6.0 on."""
