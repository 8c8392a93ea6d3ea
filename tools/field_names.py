"""
Writes `webhook/kubevirt/schema/field_names.py`: the fields of the objects in KubeVirt's API.

The source is the npm package @kubevirt-ui-ext/kubevirt-api (Apache-2.0), whose types are generated from KubeVirt's OpenAPI:

    npm pack @kubevirt-ui-ext/kubevirt-api@1.7.0
    python tools/field_names.py kubevirt-ui-ext-kubevirt-api-1.7.0.tgz

Fields that the package lacks are listed below. A test compares the result with KubeVirt's CRDs, if they are available.
"""

import re
import sys
import tarfile
from pathlib import Path

TARGET = Path(__file__).resolve().parents[1] / "webhook" / "kubevirt" / "schema" / "field_names.py"
MEMBER = "package/dist/kubevirt/index.d.ts"
ROOTS = {
    "VirtualMachine": "V1VirtualMachine",
    "VirtualMachineInstance": "V1VirtualMachineInstance",
    "VirtualMachineInstanceReplicaSet": "V1VirtualMachineInstanceReplicaSet",
    "VirtualMachinePool": "V1beta1VirtualMachinePool",
    "KubeVirt": "V1KubeVirt",
    "MigrationPolicy": "V1alpha1MigrationPolicy",
    "VirtualMachineInstanceMigration": "V1VirtualMachineInstanceMigration",
    "VirtualMachineInstancetype": "V1beta1VirtualMachineInstancetype",
    "VirtualMachineClusterInstancetype": "V1beta1VirtualMachineClusterInstancetype",
    "VirtualMachinePreference": "V1beta1VirtualMachinePreference",
    "VirtualMachineClusterPreference": "V1beta1VirtualMachineClusterPreference",
    "PersistentVolumeClaim": "PersistentVolumeClaim",
    "DataVolume": "DataVolume",
    "DataSource": "DataSource",
    "StorageProfile": "StorageProfile",
}
_META = {"apiVersion": "", "kind": "", "metadata": "K8sIoApimachineryPkgApisMetaV1ObjectMeta"}
WRITTEN: dict[str, dict[str, str]] = {
    "PersistentVolumeClaim": {**_META, "spec": "K8sIoApiCoreV1PersistentVolumeClaimSpec"},
    "DataVolume": {**_META, "spec": "V1beta1DataVolumeSpec"},
    "DataSource": {**_META, "spec": "DataSourceSpec"},
    "DataSourceSpec": {"source": "DataSourceSource"},
    "DataSourceSource": {
        "dataSource": "",
        "pvc": "V1beta1DataVolumeSourcePVC",
        "snapshot": "V1beta1DataVolumeSourceSnapshot",
    },
    "StorageProfile": {**_META, "spec": "StorageProfileSpec"},
    "StorageProfileSpec": {
        "claimPropertySets": "ClaimPropertySet",
        "cloneStrategy": "",
        "dataImportCronSourceFormat": "",
        "snapshotClass": "",
    },
    "ClaimPropertySet": {"accessModes": "", "volumeMode": ""},
}
"""Types of Kubernetes and of CDI, from the CRDs of CDI v1.66.0. The package for KubeVirt has only their parts."""
MAP = "*"
"""The prefix of the type of a map's values. The keys of a map are free."""
MORE: dict[str, dict[str, str]] = {
    "K8sIoApiCoreV1HTTPGetAction": {"port": ""},  # a number or a name; the package has no field for it
    "K8sIoApiCoreV1TCPSocketAction": {"port": ""},
    "K8sIoApiCoreV1VolumeResourceRequirements": {"claims": ""},  # in Kubernetes' API up to 1.30
    "V1Interface": {"portRanges": ""},  # from here on: KubeVirt 1.9
    "V1Network": {"resourceClaim": ""},
    "V1VirtualMachineInstanceSpec": {"serviceAccountName": ""},
    "V1KubeVirtConfiguration": {"persistentReservationConfiguration": ""},
    "V1MigrationConfiguration": {"maxDowntimeMs": ""},
    "V1ResourceRequirementsWithoutClaims": {"claims": ""},  # up to KubeVirt 1.3
    "V1alpha1MigrationPolicySpec": {"experimental": "", "maxDowntimeMs": ""},
    "V1beta1VirtualMachinePreferenceSpec": {"preferredLaunchSecurity": "V1LaunchSecurity"},
    "V1beta1DataVolumeSpec": {"serviceAccountName": ""},  # from here on: CDI 1.66
    "V1beta1DataVolumeSourceHTTP": {"checksum": "", "insecureSkipVerify": ""},
    "V1beta1DataVolumeSourceVDDK": {"certConfigMap": ""},
}
"""Fields that the package does not have: type, field, type of the field. Fields below an empty type are not read."""

_COMMENT = re.compile(r"/\*\*.*?\*/", re.DOTALL)
_INTERFACE = re.compile(r"^(?:export )?interface (\w+)(?: extends [^{]+)? \{\n(.*?)^\}", re.DOTALL | re.MULTILINE)
_FIELD = re.compile(r"^\s*(?:readonly )?['\"]?([\w$.\-]+)['\"]?\??: ([^;]+);", re.MULTILINE)


def types_of(text: str) -> dict[str, dict[str, str]]:
    """The fields of each type. The value of a field is its type, or the type in its list or map, or empty."""
    bodies = {name: dict(_FIELD.findall(body)) for name, body in _INTERFACE.findall(_COMMENT.sub("", text))}

    def held(kind: str) -> str:
        name = next((word for word in re.findall(r"\w+", kind) if word in bodies), "")
        return MAP + name if name and "[key: string]" in kind else name

    # fields named like keywords of TypeScript have an underscore
    return {name: {field.lstrip("_"): held(kind) for field, kind in fields.items()} for name, fields in bodies.items()}


def reachable(types: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """The types that a manifest can contain; a status is never written by hand."""
    wanted, kept = list(ROOTS.values()), dict[str, dict[str, str]]()
    while wanted:
        name = wanted.pop()
        if name in kept:
            continue
        fields = {
            field: held for field, held in types[name].items() if not (name in ROOTS.values() and field == "status")
        }
        kept[name] = fields | MORE.get(name, {})
        wanted.extend(held.removeprefix(MAP) for held in kept[name].values() if held)
    return kept


def main(tarball: str) -> int:
    """Writes the module."""
    with tarfile.open(tarball) as archive:
        member = archive.extractfile(MEMBER)
        if member is None:
            raise SystemExit(f"{tarball} has no {MEMBER}")
        types = reachable(types_of(member.read().decode()) | WRITTEN)
    lines = [
        '"""',
        "The fields of the objects in KubeVirt's API. Generated by `tools/field_names.py`. Do not edit this file.",
        "",
        "Source: the npm package @kubevirt-ui-ext/kubevirt-api 1.7.0 (Apache-2.0), made from KubeVirt's OpenAPI.",
        '"""',
        "",
        "from collections.abc import Mapping",
        "",
        "ROOTS: Mapping[str, str] = {",
        *(f'    "{kind}": "{name}",' for kind, name in ROOTS.items()),
        "}",
        "#: The fields of each type, with the types of their values. A * marks a map, an empty type a value that is not checked.",
        "FIELDS: Mapping[str, Mapping[str, str]] = {",
    ]
    for name, fields in sorted(types.items()):
        lines.append(f'    "{name}": {{')
        lines += [f'        "{field}": "{held}",' for field, held in sorted(fields.items())]
        lines.append("    },")
    TARGET.write_text("\n".join([*lines, "}", ""]), encoding="utf-8")
    sys.stdout.write(f"{len(types)} types, {sum(map(len, types.values()))} fields\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
