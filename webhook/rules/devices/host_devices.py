"""KubeVirt cannot move a device of one node to another node."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.kubevirt.releases import Reason
from webhook.rules.cel import DEVICE_NAME, Cel, bounded, printable
from webhook.rules.example import instancetype
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Violation

_MESSAGE = "is passed through from the node, so the VM cannot be live-migrated"


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    for device in facts.host_devices:
        resource = device.value.device_name or device.value.claim_name or "of a resource claim"
        origin = f", from {device.origin}" if device.origin else ""
        yield Violation(
            device.path,
            f"device {device.value.name!r} ({resource}{origin}) {_MESSAGE}",
            f"hostDevice {device.value.name} {resource}",
        )


RULE = Rule(
    id="LM301",
    name="host-device",
    about=About.VMI,
    reason=Reason.HOST_DEVICE,
    baseline=True,
    summary="A device of the node is passed through to the guest.",
    rationale=(
        "The guest uses the hardware of its node directly (PCI, mediated, USB, resource claim). The state of that "
        "hardware cannot be copied to another node. For fast networking, use an SR-IOV interface. KubeVirt unplugs "
        "the interface before a live migration and plugs it in again afterwards."
    ),
    remediation=(
        "Remove the entry from domain.devices.hostDevices. If the VM needs the device, ask the administrator for an exemption, "
        "and set `spec.template.spec.evictionStrategy` of the VM to LiveMigrateIfPossible. The VM is refused until the "
        "exemption exists."
    ),
    source="pkg/virt-handler/vm.go calculateLiveMigrationCondition, v1.9.0",
    reference=MIGRATION_GUIDE,
    check=check,
    cel=(
        Cel(
            among="hostDevices",
            path="domain.devices.hostDevices[{index}]",
            message=f"device '{{{printable('it.name')}}}' ({{{printable(DEVICE_NAME)}}}) {_MESSAGE}",
            identity=f"hostDevice {{{bounded('it.name')}}} {{{bounded(DEVICE_NAME)}}}",
        ),
    ),
    examples=(
        Example("an empty list", "{domain: {devices: {hostDevices: []}}}"),
        Example("no device", "{domain: {devices: {}}}"),
        Example(
            "a USB device",
            "{domain: {devices: {hostDevices: [{name: key, deviceName: kubevirt.io/usb-key}]}}}",
            violates=("domain.devices.hostDevices[0]",),
        ),
        Example(
            "two devices",
            "{domain: {devices: {hostDevices: [{name: key, deviceName: kubevirt.io/usb-key}, "
            "{name: disk, deviceName: vendor.com/nvme}]}}}",
            violates=("domain.devices.hostDevices[0]", "domain.devices.hostDevices[1]"),
        ),
        Example(
            "a device of the instancetype",
            "{domain: {devices: {}}}",
            vm_spec="{instancetype: {name: with-key}}",
            world=(instancetype("with-key", hostDevices=[{"name": "key", "deviceName": "kubevirt.io/usb-key"}]),),
            violates=("spec.instancetype",),
        ),
        Example(
            "an SR-IOV interface, which is not a host device",
            "{domain: {devices: {interfaces: [{name: fast, sriov: {}}]}}, "
            "networks: [{name: fast, multus: {networkName: fast}}]}",
        ),
    ),
)
