"""VMs with a virtual GPU migrate only with a feature gate."""

from collections.abc import Iterator

from webhook.facts.settings import SettingsFacts
from webhook.kubevirt.feature_gates import VGPU_KNOWN, VGPU_LIVE_MIGRATION
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation
from webhook.rules.settings._setting import GATES_GUIDE

_DEVICES = "permittedHostDevices: {mediatedDevices: [{mdevNameSelector: A10, resourceName: nvidia.com/A10}]}"
_AT = ("configuration.permittedHostDevices.mediatedDevices",)


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    if facts.mediated_devices and VGPU_LIVE_MIGRATION not in facts.feature_gates and facts.releases & VGPU_KNOWN:
        yield Violation(
            ("spec", "configuration", "permittedHostDevices", "mediatedDevices"),
            f"the cluster permits virtual GPUs, but not feature gate {VGPU_LIVE_MIGRATION}, so no VM with a virtual GPU "
            "can be live-migrated",
            f"no gate {VGPU_LIVE_MIGRATION}",
            releases=VGPU_KNOWN,
        )


RULE = Rule(
    id="LM647",
    name="vgpu-without-gate",
    about=About.SETTINGS,
    severity=Severity.INFO,
    summary="The cluster permits virtual GPUs without the feature gate for their live migration.",
    rationale=(
        "From KubeVirt 1.9 on, a VM with exactly one virtual GPU can be live-migrated. The gate is alpha, so it is off unless "
        "it is listed. The nodes need the same driver, and the driver must support migration."
    ),
    remediation=f"List {VGPU_LIVE_MIGRATION} in developerConfiguration.featureGates, if the driver supports migration.",
    source="pkg/virt-handler/vm.go, pkg/virt-config/featuregate/active.go, v1.9.0",
    reference=GATES_GUIDE,
    check=check,
    examples=(
        Example(
            "the gate",
            f"{{configuration: {{{_DEVICES}, developerConfiguration: {{featureGates: [{VGPU_LIVE_MIGRATION}]}}}}}}",
        ),
        Example("no virtual GPUs", "{configuration: {permittedHostDevices: {}}}"),
        Example("no devices", "{configuration: {}}"),
        Example("1.8, which has no such gate", f"{{configuration: {{{_DEVICES}}}}}", release="1.8"),
        Example("no gate", f"{{configuration: {{{_DEVICES}}}}}", violates=_AT),
        Example(
            "another gate",
            f"{{configuration: {{{_DEVICES}, developerConfiguration: {{featureGates: [HostDevices]}}}}}}",
            violates=_AT,
        ),
        Example(
            "two virtual GPUs",
            "{configuration: {permittedHostDevices: {mediatedDevices: [{resourceName: a/b}, {resourceName: a/c}]}}}",
            violates=_AT,
        ),
    ),
)
