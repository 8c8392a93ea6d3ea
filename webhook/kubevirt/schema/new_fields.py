"""
The fields that KubeVirt's API got after 1.0, and the fields of an object that are newer than the cluster.

Source: ``api/openapi-spec/swagger.json`` of KubeVirt v1.0.1, v1.1.1, v1.2.2, v1.3.1, v1.4.1, v1.5.3, v1.6.6, v1.7.4, v1.8.4 and
v1.9.0. Types that did not exist in 1.0 are left out, because a field of an older type leads to them. So are migration settings,
which rules of family 6 report, and types of CDI, whose releases are its own.
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from webhook.kubevirt.releases import Release, Releases, since
from webhook.kubevirt.schema.field_names import FIELDS, ROOTS
from webhook.objects.meta import Json
from webhook.objects.path import FieldPath

ADDED: Final[Mapping[Release, Mapping[str, tuple[str, ...]]]] = {
    Release(1, 1): {
        "V1Devices": ("downwardMetrics", "logSerialConsole"),
        "V1Disk": ("errorPolicy",),
        "V1EFI": ("persistent",),
        "V1InstancetypeMatcher": ("inferFromVolumeFailurePolicy",),
        "V1Interface": ("binding",),
        "V1LiveUpdateConfiguration": ("maxGuest", "maxHotplugRatio"),
        "V1Memory": ("maxGuest",),
        "V1NetworkConfiguration": ("binding",),
        "V1PermittedHostDevices": ("usb",),
        "V1PreferenceMatcher": ("inferFromVolumeFailurePolicy",),
        "V1SEV": ("attestation", "dhCert", "session"),
        "V1SSHPublicKeyAccessCredentialPropagationMethod": ("noCloud",),
        "V1VirtualMachineOptions": ("disableSerialConsoleLog",),
        "V1beta1VirtualMachineInstancetypeSpec": ("annotations", "nodeSelector", "schedulerName"),
        "V1beta1VirtualMachinePreferenceSpec": ("annotations", "preferSpreadSocketToCoreRatio"),
    },
    Release(1, 2): {
        "V1Firmware": ("acpi",),
        "V1KubeVirtConfiguration": ("vmRolloutStrategy",),
    },
    Release(1, 3): {
        "V1Features": ("hypervPassthrough",),
        "V1VirtualMachineSpec": ("updateVolumesStrategy",),
        "V1beta1CPUInstancetype": ("maxSockets",),
        "V1beta1CPUPreferences": ("spreadOptions",),
        "V1beta1MemoryInstancetype": ("maxGuest",),
    },
    Release(1, 4): {
        "V1KubeVirtConfiguration": ("commonInstancetypesDeployment", "instancetype"),
        "V1TPMDevice": ("enabled",),
        "V1beta1FirmwarePreferences": ("preferredEfi",),
    },
    Release(1, 5): {
        "V1DomainSpec": ("ioThreads",),
        "V1Watchdog": ("diag288",),
        "V1beta1VirtualMachinePoolSpec": ("nameGeneration",),
    },
    Release(1, 6): {
        "V1DeveloperConfiguration": ("clusterProfiler",),
        "V1Devices": ("panicDevices", "video"),
        "V1GPU": ("claimName", "requestName"),
        "V1HostDevice": ("claimName", "requestName"),
        "V1KubeVirtSpec": ("synchronizationPort",),
        "V1LogVerbosity": ("virtSynchronizationController",),
        "V1VirtualMachineInstanceMigrationSpec": ("addedNodeSelector", "receive", "sendTo"),
        "V1VirtualMachineInstanceSpec": ("resourceClaims",),
        "V1beta1DevicePreferences": ("preferredPanicDeviceModel",),
        "V1beta1VirtualMachinePoolSpec": ("maxUnavailable", "scaleInStrategy"),
    },
    Release(1, 7): {
        "V1ArchConfiguration": ("s390x",),
        "V1CustomBlockSize": ("discardGranularity",),
        "V1Disk": ("changedBlockTracking",),
        "V1KubeVirtConfiguration": ("changedBlockTrackingLabelSelectors",),
        "V1LaunchSecurity": ("snp", "tdx"),
        "V1VirtualMachineInstanceMigrationSpec": ("priority",),
        "V1beta1PreferenceRequirements": ("architecture",),
        "V1beta1VirtualMachineInstancetypeSpec": ("ioThreads",),
        "V1beta1VirtualMachinePreferenceSpec": ("preferredArchitecture",),
    },
    Release(1, 8): {
        "V1DeveloperConfiguration": ("disabledFeatureGates",),
        "V1DomainSpec": ("rebootPolicy",),
        "V1Interface": ("passtBinding",),
        "V1KubeVirtConfiguration": ("hypervisors", "roleAggregationStrategy", "virtTemplateDeployment"),
        "V1MediatedDevicesConfiguration": ("enabled",),
        "V1Memory": ("reservedOverhead",),
        "V1VirtualMachineInstanceSpec": ("utilityVolumes",),
        "V1Volume": ("containerPath",),
    },
    Release(1, 9): {
        "V1Interface": ("portRanges",),
        "V1KubeVirtConfiguration": ("confidentialCompute", "persistentReservationConfiguration"),
        "V1Network": ("resourceClaim",),
        "V1VirtualMachineInstanceSpec": ("serviceAccountName",),
        "V1beta1DevicePreferences": ("preferredVideoType",),
        "V1beta1VirtualMachinePreferenceSpec": ("preferredLaunchSecurity",),
    },
}
"""The added fields by release and type."""
FIRST: Final[Mapping[tuple[str, str], Release]] = {
    (name, field): release for release, types in ADDED.items() for name, fields in types.items() for field in fields
}
FIRST_WITH_VALUE: Final[Mapping[tuple[str, str, str], Release]] = {
    ("V1VirtualMachineSpec", "runStrategy", "WaitAsReceiver"): Release(1, 6),
}
"""Values that earlier releases reject (``validateRunStrategy`` of ``vms-admitter.go``, v1.5.3 and v1.6.0)."""
_MAP = "*"


class NewField(NamedTuple):
    """A field that none of the judged releases has, or a field with a value that none of them has."""

    path: FieldPath
    first: Release
    value: str = ""


def new_fields(kind: str, raw: Mapping[str, Json], releases: Releases) -> Iterator[NewField]:
    """The fields of an object that none of ``releases`` has. A field below such a field is not reported."""
    waiting: list[tuple[FieldPath, str, Json]] = [((), ROOTS[kind], raw)] if kind in ROOTS else []
    while waiting:
        path, name, value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(((*path, index), name, item) for index, item in reversed(list(enumerate(value))))
        elif isinstance(value, dict):
            inner = {}
            for key, held in value.items():
                first = FIRST.get((name, key))
                value = held if isinstance(held, str) else ""
                with_value = FIRST_WITH_VALUE.get((name, key, value))
                if first is not None and held is not None and not since(first) & releases:
                    yield NewField((*path, key), first)
                elif with_value is not None and not since(with_value) & releases:
                    yield NewField((*path, key), with_value, value)
                else:
                    inner[key] = held
            known = dict.fromkeys(inner, name[1:]) if name.startswith(_MAP) else FIELDS[name]
            waiting.extend(((*path, key), known[key], held) for key, held in reversed(inner.items()) if known.get(key))
