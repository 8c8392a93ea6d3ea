"""
The fields of ``HyperConverged.spec`` in both API versions, and the unknown fields of an object.

Source: the CRD ``deploy/crds/hco00.crd.yaml`` of hyperconverged-cluster-operator, v1.13.0 to v1.18.1 and main of 2026-08-21
together. A field without subfields is not searched. Rules of family 6 check the settings of ``liveMigrationConfig``.
"""

from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

from webhook.facts.manifest import UnknownField
from webhook.kubevirt.schema.spelling import close_matches
from webhook.objects.hyper_converged import V1
from webhook.objects.kubevirt import Misplaced
from webhook.objects.meta import Json
from webhook.objects.path import FieldPath

Fields: TypeAlias = Mapping[str, "Fields | None"]
"""The fields of an object, each with its own fields. The key ``*`` represents all keys of a map."""


def _leaves(names: str) -> dict[str, None]:
    return dict.fromkeys(names.split())


V1BETA1_SPEC: Final[Fields] = {
    **_leaves(
        "commonBootImageNamespace commonTemplatesNamespace defaultCPUModel defaultRuntimeClass "
        "deployVmConsoleProxy enableApplicationAwareQuota enableCommonBootImageImport evictionStrategy "
        "infra kubeSecondaryDNSNameServerIP liveMigrationConfig localStorageClassName "
        "resourceRequirements roleAggregationStrategy scratchSpaceStorageClass tektonPipelinesNamespace "
        "tektonTasksNamespace tuningPolicy uninstallStrategy vddkInitImage vmStateStorageClass"
    ),
    "CommonInstancetypesDeployment": _leaves("enabled"),
    "applicationAwareConfig": _leaves("allowApplicationAwareClusterResourceQuota namespaceSelector vmiCalcConfigName"),
    "certConfig": {
        "ca": _leaves("duration renewBefore"),
        "server": _leaves("duration renewBefore"),
    },
    "changedBlockTrackingLabelSelectors": {
        "namespaceLabelSelector": _leaves("matchExpressions matchLabels"),
        "virtualMachineLabelSelector": _leaves("matchExpressions matchLabels"),
    },
    "dataImportCronTemplates": {
        **_leaves("metadata"),
        "spec": _leaves(
            "garbageCollect importsToKeep managedDataSource retentionPolicy schedule serviceAccountName template"
        ),
    },
    "featureGates": _leaves(
        "alignCPUs autoResourceLimits containerPathVolumes decentralizedLiveMigration "
        "declarativeHotplugVolumes deployKubeSecondaryDNS deployKubevirtIpamController "
        "deployTektonTaskResources deployVmConsoleProxy disableMDevConfiguration downwardMetrics "
        "enableApplicationAwareQuota enableCommonBootImageImport enableManagedTenantQuota "
        "enableMultiArchBootImageImport incrementalBackup nonRoot objectGraph persistentReservation "
        "primaryUserDefinedNetworkBinding videoConfig withHostPassthroughCPU"
    ),
    "filesystemOverhead": _leaves("global storageClass"),
    "higherWorkloadDensity": _leaves("memoryOvercommitPercentage"),
    "hypervisors": _leaves("name"),
    "instancetypeConfig": _leaves("referencePolicy"),
    "ksmConfiguration": {
        "nodeLabelSelector": _leaves("matchExpressions matchLabels"),
    },
    "kubeMacPoolConfiguration": _leaves("rangeEnd rangeStart"),
    "liveUpdateConfiguration": _leaves("maxCpuSockets maxGuest maxHotplugRatio"),
    "logVerbosityConfig": {
        **_leaves("cdi"),
        "kubevirt": _leaves(
            "nodeVerbosity virtAPI virtController virtHandler virtLauncher virtOperator virtSynchronizationController"
        ),
    },
    "mediatedDevicesConfiguration": {
        **_leaves("mediatedDeviceTypes mediatedDevicesTypes"),
        "nodeMediatedDeviceTypes": _leaves("mediatedDeviceTypes mediatedDevicesTypes nodeSelector"),
    },
    "networkBinding": {
        "*": {
            **_leaves(
                "computeResourceOverhead domainAttachmentType downwardAPI networkAttachmentDefinition sidecarImage"
            ),
            "migration": _leaves("method"),
        },
    },
    "obsoleteCPUs": _leaves("cpuModels minCPUModel"),
    "permittedHostDevices": {
        "mediatedDevices": _leaves("disabled externalResourceProvider mdevNameSelector resourceName"),
        "pciHostDevices": _leaves("disabled externalResourceProvider pciDeviceSelector resourceName"),
        "usbHostDevices": _leaves("disabled externalResourceProvider resourceName selectors"),
    },
    "storageImport": _leaves("insecureRegistries"),
    "tlsSecurityProfile": {
        **_leaves("intermediate modern old type"),
        "custom": _leaves("ciphers minTLSVersion"),
    },
    "virtualMachineOptions": _leaves("disableFreePageReporting disableSerialConsoleLog"),
    "workloadUpdateStrategy": _leaves("batchEvictionInterval batchEvictionSize workloadUpdateMethods"),
    "workloads": _leaves("nodePlacement"),
}
V1_SPEC: Final[Fields] = {
    "deployment": {
        **_leaves("deployNetworkResourcesInjector deployVmConsoleProxy uninstallStrategy"),
        "applicationAwareConfig": _leaves(
            "allowApplicationAwareClusterResourceQuota enable namespaceSelector vmiCalcConfigName"
        ),
        "logVerbosityConfig": {
            **_leaves("cdi"),
            "kubevirt": _leaves(
                "nodeVerbosity virtAPI virtController virtHandler virtLauncher virtOperator "
                "virtSynchronizationController"
            ),
        },
        "nodePlacements": _leaves("infra workload"),
    },
    "featureGates": _leaves("name state"),
    "networking": {
        **_leaves("kubeSecondaryDNSNameServerIP"),
        "kubeMacPoolConfiguration": _leaves("rangeEnd rangeStart"),
        "networkBinding": {
            "*": {
                **_leaves(
                    "computeResourceOverhead domainAttachmentType downwardAPI networkAttachmentDefinition sidecarImage"
                ),
                "migration": _leaves("method"),
            },
        },
    },
    "observability": {
        **_leaves("allowedAlerts allowedRecordingRules"),
        "workloads": _leaves("allowedMetrics"),
    },
    "security": {
        "certConfig": {
            "ca": _leaves("duration renewBefore"),
            "server": _leaves("duration renewBefore"),
        },
        "tlsSecurityProfile": {
            **_leaves("intermediate modern old type"),
            "custom": _leaves("ciphers minTLSVersion"),
        },
    },
    "storage": {
        **_leaves("scratchSpaceStorageClass vmStateStorageClass"),
        "filesystemOverhead": _leaves("global storageClass"),
        "persistentReservationConfiguration": _leaves("enabled"),
        "storageImport": _leaves("insecureRegistries"),
        "workloadResourceRequirements": {
            **_leaves("limits requests"),
            "claims": _leaves("name request"),
        },
    },
    "virtualization": {
        **_leaves(
            "evictionStrategy liveMigrationConfig obsoleteCPUModels roleAggregationStrategy tuningPolicy "
            "vmiCPUAllocationRatio"
        ),
        "autoCPULimitNamespaceLabelSelector": _leaves("matchExpressions matchLabels"),
        "changedBlockTrackingLabelSelectors": {
            "namespaceLabelSelector": _leaves("matchExpressions matchLabels"),
            "virtualMachineLabelSelector": _leaves("matchExpressions matchLabels"),
        },
        "higherWorkloadDensity": _leaves("memoryOvercommitPercentage"),
        "hypervisors": _leaves("name"),
        "ksmConfiguration": {
            "nodeLabelSelector": _leaves("matchExpressions matchLabels"),
        },
        "liveUpdateConfiguration": _leaves("maxCpuSockets maxGuest maxHotplugRatio"),
        "mediatedDevicesConfiguration": {
            **_leaves("enabled mediatedDeviceTypes"),
            "nodeMediatedDeviceTypes": _leaves("mediatedDeviceTypes nodeSelector"),
        },
        "permittedHostDevices": {
            "mediatedDevices": _leaves("disabled externalResourceProvider mdevNameSelector resourceName"),
            "pciHostDevices": _leaves("disabled externalResourceProvider pciDeviceSelector resourceName"),
            "usbHostDevices": _leaves("disabled externalResourceProvider resourceName selectors"),
        },
        "virtualMachineOptions": _leaves(
            "defaultCPUModel defaultRuntimeClass disableFreePageReporting disableSerialConsoleLog"
        ),
        "workloadUpdateStrategy": _leaves("batchEvictionInterval batchEvictionSize workloadUpdateMethods"),
    },
    "workloadSources": {
        **_leaves(
            "commonBootImageNamespace commonTemplatesNamespace enableCommonBootImageImport "
            "enableMultiArchBootImageImport"
        ),
        "commonInstancetypesDeployment": _leaves("enabled"),
        "dataImportCronTemplates": {
            **_leaves("metadata"),
            "spec": _leaves(
                "garbageCollect importsToKeep managedDataSource retentionPolicy schedule serviceAccountName template"
            ),
        },
        "instancetypeConfig": _leaves("referencePolicy"),
    },
}
_MAP: Final = "*"
_MISPLACED: Final = frozenset(Misplaced.__struct_encode_fields__)
"""Fields below which rules of family 6 report misplaced settings."""
_WITH_SETTINGS: Final[tuple[FieldPath, ...]] = (("spec",), ("spec", "virtualization"))
_CONFIGURATION: Final = "configuration"
_SHORTEST_MOVED: Final = 4


def unknown_in(raw: Mapping[str, Json]) -> tuple[UnknownField, ...]:
    """The unknown fields of ``spec`` of a HyperConverged CR, in the version of the object."""
    version = str(raw.get("apiVersion", "")).rpartition("/")[2]
    known = V1_SPEC if version == V1 else V1BETA1_SPEC
    return tuple(_unknown(("spec",), raw.get("spec"), known, known))


def _unknown(path: FieldPath, value: Json, known: Fields, root: Fields) -> Iterator[UnknownField]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unknown((*path, index), item, known, root)
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        fields = known.get(key) or known.get(_MAP)
        if fields is not None:
            yield from _unknown((*path, key), inner, fields, root)
        elif key not in known and not _is_misplaced(path, key, inner):
            yield _field((*path, key), key, known, root)


def _is_misplaced(path: FieldPath, key: str, value: Json) -> bool:
    """Whether the rules of family 6 report the field."""
    if path == ("spec",) and key == _CONFIGURATION:
        return isinstance(value, dict) and "migrations" in value
    if path == ("spec",) and key == "virtualization":
        return isinstance(value, dict) and value.keys() <= {"liveMigrationConfig"}
    return path in _WITH_SETTINGS and key in _MISPLACED


def _field(path: FieldPath, key: str, known: Fields, root: Fields) -> UnknownField:
    if key == _CONFIGURATION:
        return UnknownField(path, key)  # a field of the KubeVirt CR
    by_case = {name.lower(): name for name in known}
    meant = by_case.get(key.lower(), "") or by_case.get(f"{key.lower()}s", "")
    if not meant and len(key) >= _SHORTEST_MOVED:
        places = list(_places(key, ("spec",), root))
        if len(places) == 1:
            return UnknownField(path, key, belongs=places[0])
    if not meant:
        close = close_matches(key.lower(), by_case, cutoff=0.75)
        meant = by_case[close[0]] if close else ""
    return UnknownField(path, key, meant)


def _places(key: str, path: FieldPath, fields: Fields) -> Iterator[FieldPath]:
    if key in fields:
        yield (*path, key)
    for name, inner in fields.items():
        if inner is not None and name != _MAP:
            yield from _places(key, (*path, name), inner)
