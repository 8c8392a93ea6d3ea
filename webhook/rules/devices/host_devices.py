"""A device of one node cannot be carried to another."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.kubevirt.releases import Reason
from webhook.rules.cel import DEVICE_NAME, Cel, known, shown
from webhook.rules.example import instancetype
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Violation


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    for device in facts.host_devices:
        named = device.value.device_name or device.value.claim_name or "of a resource claim"
        brought = f", brought by {device.origin}" if device.origin else ""
        yield Violation(
            device.path,
            f"device {device.value.name!r} ({named}{brought}) is a device of the node, passed through to the guest",
            f"hostDevice {device.value.name} {named}",
        )


RULE = Rule(
    id="LM301",
    name="host-device",
    about=About.VMI,
    reason=Reason.HOST_DEVICE,
    baseline=True,
    summary="A device of the node is passed through to the guest.",
    rationale=(
        "The guest drives the hardware of its node directly (PCI, mediated, USB, resource claim). Its state cannot be "
        "copied to a device of another node."
    ),
    remediation=(
        "Remove the entry from devices.hostDevices; for fast networking use an SR-IOV interface, which KubeVirt unplugs and "
        "plugs again around a migration. A VM that must have the device cannot be live-migrated: set evictionStrategy "
        "accordingly and ask for an exemption."
    ),
    source="pkg/virt-handler/vm.go calculateLiveMigrationCondition, v1.9.0",
    reference=MIGRATION_GUIDE,
    check=check,
    cel=(
        Cel(
            among="hostDevices",
            path="domain.devices.hostDevices[{index}]",
            message=f"device '{{{shown('it.name')}}}' ({{{shown(DEVICE_NAME)}}}) is a device of the node, passed through to the "
            "guest",
            identity=f"hostDevice {{{known('it.name')}}} {{{known(DEVICE_NAME)}}}",
        ),
    ),
    examples=(
        Example("no devices", "{domain: {devices: {hostDevices: []}}}"),
        Example(
            "a USB key",
            "{domain: {devices: {hostDevices: [{name: key, deviceName: kubevirt.io/usb-key}]}}}",
            violates=("domain.devices.hostDevices[0]",),
        ),
        Example(
            "a device that the instancetype brings",
            "{domain: {devices: {}}}",
            machine="{instancetype: {name: with-key}}",
            world=(instancetype("with-key", hostDevices=[{"name": "key", "deviceName": "kubevirt.io/usb-key"}]),),
            violates=("spec.instancetype",),
        ),
        Example(
            "an SR-IOV interface is not a host device",
            "{domain: {devices: {interfaces: [{name: fast, sriov: {}}]}}, "
            "networks: [{name: fast, multus: {networkName: fast}}]}",
        ),
    ),
)
