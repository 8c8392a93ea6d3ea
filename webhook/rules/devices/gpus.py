"""KubeVirt cannot move a GPU to another node. From 1.9 on, one virtual GPU is an exception."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.facts.unknown import Unknown
from webhook.kubevirt.feature_gates import VGPU_KNOWN, VGPU_LIVE_MIGRATION, alpha_gate_is_on
from webhook.kubevirt.releases import KNOWN, Reason
from webhook.objects.kubevirt import Configuration
from webhook.objects.vmi import GPU
from webhook.rules.cel import DEVICE_NAME, Cel, bounded, printable
from webhook.rules.example import instancetype, kubevirt
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Undetermined, Violation

_ONE = "{domain: {devices: {gpus: [{name: g, deviceName: nvidia.com/A10}]}}}"
_TWO = "{domain: {devices: {gpus: [{name: g, deviceName: nvidia.com/A10}, {name: h, deviceName: nvidia.com/A10}]}}}"
_MEDIATED = {"mediatedDevices": [{"mdevNameSelector": "A10", "resourceName": "nvidia.com/A10"}]}
_PASSED_THROUGH = "is passed through from the node"
_REFUSED = "so the VM cannot be live-migrated"
_ALLOWED = "which KubeVirt can live-migrate between nodes with the same driver. Profile `exact` only warns"
_ALLOWED_REMEDY = (
    "Install the same virtual GPU driver on all nodes. For profile `strict`, ask for an exemption, or remove the entry "
    "from domain.devices.gpus."
)
_ALLOWED_LATER = (
    "so KubeVirt 1.8 and earlier cannot live-migrate the VM. KubeVirt 1.9 and later can. For these releases, only "
    "Migratable's fixed list refuses it, and profile `exact` only warns"
)


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    if not facts.gpus:
        return
    releases, consequence, remedy = KNOWN, _REFUSED, ""
    configuration = facts.configuration
    if len(facts.gpus) == 1 and isinstance(configuration, Unknown):
        gpu = facts.gpus[0]
        releases = KNOWN & ~VGPU_KNOWN
        yield Undetermined(
            gpu.path,
            f"KubeVirt 1.9 and later can live-migrate one virtual GPU, if feature gate {VGPU_LIVE_MIGRATION} is on and "
            f"{gpu.value.device_name or 'the device'} is a permitted mediated device; {configuration.why}",
            configuration.settle or "pass the KubeVirt CR",
            f"gpu {gpu.value.name} {_resource(gpu.value)}",
            VGPU_KNOWN,
        )
    elif not isinstance(configuration, Unknown) and _can_migrate(facts, configuration):
        releases, consequence = KNOWN & ~VGPU_KNOWN, _ALLOWED_LATER
        if not facts.releases & ~VGPU_KNOWN:
            consequence, remedy = _ALLOWED, _ALLOWED_REMEDY
    for gpu in facts.gpus:
        resource = _resource(gpu.value)
        origin = f", from {gpu.origin}" if gpu.origin else ""
        yield Violation(
            gpu.path,
            f"GPU {gpu.value.name!r} ({resource}{origin}) {_PASSED_THROUGH}, {consequence}",
            f"gpu {gpu.value.name} {resource}",
            remedy,
            releases,
        )


def _can_migrate(facts: MigrationFacts, configuration: Configuration) -> bool:
    """Whether KubeVirt 1.9 and later can migrate the VM, because its only GPU is virtual and the feature gate is on."""
    gpu = facts.gpus[0].value
    gate = alpha_gate_is_on(configuration, VGPU_LIVE_MIGRATION)
    return len(facts.gpus) == 1 and gate and (gpu.device_name or "") in _mediated(configuration)


def _resource(gpu: GPU) -> str:
    return gpu.device_name or gpu.claim_name or "of a resource claim"


def _mediated(configuration: Configuration) -> set[str]:
    """The resource names in ``permittedHostDevices.mediatedDevices`` of the KubeVirt CR."""
    permitted = configuration.permitted_host_devices
    return {device.resource_name for device in (permitted.mediated_devices if permitted is not None else None) or ()}


RULE = Rule(
    id="LM302",
    name="gpu",
    about=About.VMI,
    reason=Reason.HOST_DEVICE,
    baseline=True,
    summary="A GPU of the node is passed through to the guest.",
    rationale=(
        "The guest uses the hardware of its node directly. KubeVirt 1.9 and later can migrate exactly one virtual GPU, "
        "behind feature gate VGPULiveMigration. The rule stays on Migratable's fixed list."
    ),
    remediation=(
        "Remove the entry from domain.devices.gpus. If the VM needs the GPU, ask the administrator for an exemption, "
        "and set `spec.template.spec.evictionStrategy` of the VM to LiveMigrateIfPossible. The VM is refused until "
        "the exemption exists."
    ),
    source="pkg/virt-handler/vm.go, v1.9.0 line 1304 (devices), commit 64dfea0121",
    reference=MIGRATION_GUIDE,
    check=check,
    cel=(
        Cel(
            among="gpus",
            path="domain.devices.gpus[{index}]",
            message=f"GPU '{{{printable('it.name')}}}' ({{{printable(DEVICE_NAME)}}}) {_PASSED_THROUGH}, {_REFUSED}",
            identity=f"gpu {{{bounded('it.name')}}} {{{bounded(DEVICE_NAME)}}}",
            unsure_in=VGPU_KNOWN,
            certain="variables.gpus.size() > 1",
        ),
    ),
    examples=(
        Example("an empty list", "{domain: {devices: {gpus: []}}}"),
        Example("no GPU", "{domain: {devices: {}}}"),
        Example(
            "an instancetype without GPUs",
            "{domain: {devices: {}}}",
            vm_spec="{instancetype: {name: small}}",
            world=(instancetype("small"),),
        ),
        Example("a GPU in 1.8", _ONE, violates=("domain.devices.gpus[0]",), release="1.8"),
        Example(
            "a GPU in 1.9 without the feature gate", _ONE, world=(kubevirt(),), violates=("domain.devices.gpus[0]",)
        ),
        Example("two GPUs in 1.9", _TWO, violates=("domain.devices.gpus[0]", "domain.devices.gpus[1]")),
        Example(
            "one virtual GPU in 1.9 with the feature gate: only the fixed list refuses it",
            _ONE,
            world=(
                kubevirt(
                    developerConfiguration={"featureGates": [VGPU_LIVE_MIGRATION]}, permittedHostDevices=_MEDIATED
                ),
            ),
            violates=("domain.devices.gpus[0]",),
        ),
        Example(
            "a GPU in 1.9, and a KubeVirt CR that was not provided",
            _ONE,
            violates=("domain.devices.gpus[0]",),
            undetermined=("domain.devices.gpus[0]",),
        ),
    ),
)
