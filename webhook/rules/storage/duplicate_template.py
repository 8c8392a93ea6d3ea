"""KubeVirt uses the first of two dataVolumeTemplates with the same name."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.rules.rule import About, Example, Outcome, Rule, Violation

_ON_A_DATA_VOLUME = "{domain: {devices: {}}, volumes: [{name: os, dataVolume: {name: os}}]}"
_SHARED = "{metadata: {name: os}, spec: {storage: {accessModes: [ReadWriteMany]}}}"
_LOCAL = "{metadata: {name: os}, spec: {storage: {accessModes: [ReadWriteOnce]}}}"
_OTHER = "{metadata: {name: data}, spec: {storage: {accessModes: [ReadWriteMany]}}}"


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    repeats: dict[str, int] = {}
    for template in facts.templates:
        if template.first is not None:
            repeats[template.name] = repeats.get(template.name, 0) + 1
            yield Violation(
                template.path,
                f"duplicate dataVolumeTemplate {template.name!r}: KubeVirt uses entry {template.first} and ignores "
                "this entry",
                f"dataVolumeTemplate {template.name}",
                harm=repeats[template.name],
            )


RULE = Rule(
    id="LM208",
    name="duplicate-data-volume-template",
    about=About.VMI,
    summary="Two dataVolumeTemplates have the same name.",
    rationale=(
        "KubeVirt accepts such a list and creates the DataVolume of the first entry only. The other entries have no effect, so "
        "their access modes do not decide whether the VM can be live-migrated."
    ),
    remediation="Delete the duplicate entry, or give it its own name and volume.",
    source=(
        "pkg/virt-controller/watch/vm/vm.go handleDataVolumes, v1.4.1 to v1.9.0; pkg/virt-controller/watch/vm.go, v1.0.1 to "
        "v1.3.1; pkg/storage/admitters/data-volume-template.go, which does not compare names, v1.9.0"
    ),
    reference="https://kubevirt.io/user-guide/storage/disks_and_volumes/#datavolume",
    check=check,
    examples=(
        Example("one template", _ON_A_DATA_VOLUME, vm_spec=f"{{dataVolumeTemplates: [{_SHARED}]}}"),
        Example(
            "two templates with different names",
            "{domain: {devices: {}}, volumes: [{name: os, dataVolume: {name: os}}, {name: data, dataVolume: {name: data}}]}",
            vm_spec=f"{{dataVolumeTemplates: [{_SHARED}, {_OTHER}]}}",
        ),
        Example("no template", "{domain: {devices: {}}, volumes: []}", vm_spec="{dataVolumeTemplates: []}"),
        Example(
            "two templates with the same name",
            _ON_A_DATA_VOLUME,
            vm_spec=f"{{dataVolumeTemplates: [{_SHARED}, {_LOCAL}]}}",
            violates=("spec.dataVolumeTemplates[1]",),
        ),
        Example(
            "two identical templates",
            _ON_A_DATA_VOLUME,
            vm_spec=f"{{dataVolumeTemplates: [{_SHARED}, {_SHARED}]}}",
            violates=("spec.dataVolumeTemplates[1]",),
        ),
        Example(
            "three templates with the same name",
            _ON_A_DATA_VOLUME,
            vm_spec=f"{{dataVolumeTemplates: [{_SHARED}, {_SHARED}, {_LOCAL}]}}",
            violates=("spec.dataVolumeTemplates[1]", "spec.dataVolumeTemplates[2]"),
        ),
    ),
)
