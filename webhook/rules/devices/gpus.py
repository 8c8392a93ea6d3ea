"""A GPU of one node cannot be carried to another, but for one virtual GPU from 1.9 on."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.facts.unknown import Unknown
from webhook.kubevirt.gates import VGPU_KNOWN, VGPU_LIVE_MIGRATION, alpha_gate_is_on
from webhook.kubevirt.releases import KNOWN, Reason
from webhook.objects.kubevirt import Configuration
from webhook.objects.vmi import GPU
from webhook.rules.cel import DEVICE_NAME, Cel, known, shown
from webhook.rules.example import kubevirt
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Undetermined, Violation

_ONE = "{domain: {devices: {gpus: [{name: g, deviceName: nvidia.com/A10}]}}}"
_MEDIATED = {"mediatedDevices": [{"mdevNameSelector": "A10", "resourceName": "nvidia.com/A10"}]}


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    if not facts.gpus:
        return
    releases, remark = KNOWN, ""
    configuration = facts.configuration
    if len(facts.gpus) == 1 and isinstance(configuration, Unknown):
        one = facts.gpus[0]
        releases = KNOWN & ~VGPU_KNOWN
        yield Undetermined(
            one.path,
            f"from KubeVirt 1.9 on a virtual GPU can migrate, if feature gate {VGPU_LIVE_MIGRATION} is on and "
            f"{one.value.device_name or 'the device'} is a permitted mediated device; {configuration.why}",
            configuration.settle or "pass the KubeVirt CR",
            f"gpu {one.value.name} {_named(one.value)}",
            VGPU_KNOWN,
        )
    elif not isinstance(configuration, Unknown) and _can_migrate(facts, configuration):
        releases = KNOWN & ~VGPU_KNOWN
        remark = "; this KubeVirt can migrate it, so profile `exact` lets it pass from 1.9 on"
    for gpu in facts.gpus:
        named = _named(gpu.value)
        brought = f", brought by {gpu.origin}" if gpu.origin else ""
        yield Violation(
            gpu.path,
            f"GPU {gpu.value.name!r} ({named}{brought}) is a device of the node, passed through to the guest{remark}",
            f"gpu {gpu.value.name} {named}",
            releases=releases,
        )


def _can_migrate(facts: MigrationFacts, configuration: Configuration) -> bool:
    """One virtual GPU behind a gate: 1.9 and later."""
    one = facts.gpus[0].value
    gate = alpha_gate_is_on(configuration, VGPU_LIVE_MIGRATION)
    return len(facts.gpus) == 1 and gate and (one.device_name or "") in mediated(configuration)


def _named(gpu: GPU) -> str:
    return gpu.device_name or gpu.claim_name or "of a resource claim"


def mediated(configuration: Configuration) -> set[str]:
    """Resource names of the CR's ``permittedHostDevices.mediatedDevices``."""
    permitted = configuration.permitted_host_devices
    return {each.resource_name for each in (permitted.mediated_devices if permitted is not None else None) or ()}


RULE = Rule(
    id="LM302",
    name="gpu",
    about=About.VMI,
    reason=Reason.HOST_DEVICE,
    baseline=True,
    summary="A GPU of the node is passed through to the guest.",
    rationale=(
        "The guest drives the hardware of its node directly. From 1.9 on KubeVirt can migrate exactly one virtual GPU, "
        "behind feature gate VGPULiveMigration; the rule stays on Migratable's fixed list."
    ),
    remediation=(
        "Remove the entry from devices.gpus. A VM that must have the GPU cannot be live-migrated: set evictionStrategy "
        "accordingly and ask for an exemption."
    ),
    source="pkg/virt-handler/vm.go, v1.9.0 line 1304 (devices), commit 64dfea0121",
    reference=MIGRATION_GUIDE,
    check=check,
    cel=(
        Cel(
            among="gpus",
            path="domain.devices.gpus[{index}]",
            message=f"GPU '{{{shown('it.name')}}}' ({{{shown(DEVICE_NAME)}}}) is a device of the node, passed through to the "
            "guest",
            identity=f"gpu {{{known('it.name')}}} {{{known(DEVICE_NAME)}}}",
            unsure_in=VGPU_KNOWN,
            certain="variables.gpus.size() > 1",
        ),
    ),
    examples=(
        Example("no GPU", "{domain: {devices: {gpus: []}}}"),
        Example("a GPU up to 1.8", _ONE, violates=("domain.devices.gpus[0]",), release="1.8"),
        Example("a GPU in 1.9 without the gate", _ONE, world=(kubevirt(),), violates=("domain.devices.gpus[0]",)),
        Example(
            "one virtual GPU in 1.9 with the gate: only the fixed list refuses it",
            _ONE,
            world=(
                kubevirt(
                    developerConfiguration={"featureGates": [VGPU_LIVE_MIGRATION]}, permittedHostDevices=_MEDIATED
                ),
            ),
            violates=("domain.devices.gpus[0]",),
        ),
        Example(
            "a GPU in 1.9, and nobody showed us the KubeVirt CR",
            _ONE,
            violates=("domain.devices.gpus[0]",),
            undetermined=("domain.devices.gpus[0]",),
        ),
    ),
)
