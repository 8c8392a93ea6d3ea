"""Of two dataVolumeTemplates with the same name, KubeVirt uses the first one."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.rules.rule import About, Example, Outcome, Rule, Violation

_ON_A_DATA_VOLUME = "{domain: {devices: {}}, volumes: [{name: os, dataVolume: {name: os}}]}"
_SHARED = "{metadata: {name: os}, spec: {storage: {accessModes: [ReadWriteMany]}}}"
_LOCAL = "{metadata: {name: os}, spec: {storage: {accessModes: [ReadWriteOnce]}}}"
_OTHER = "{metadata: {name: data}, spec: {storage: {accessModes: [ReadWriteMany]}}}"


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    repeats: dict[str, int] = {}
    for each in facts.templates:
        if each.first is not None:
            repeats[each.name] = repeats.get(each.name, 0) + 1
            yield Violation(
                each.path,
                f"duplicate dataVolumeTemplate {each.name!r}: KubeVirt uses entry {each.first} and ignores this one",
                f"dataVolumeTemplate {each.name}",
                harm=repeats[each.name],
            )


RULE = Rule(
    id="LM208",
    name="duplicate-data-volume-template",
    about=About.VMI,
    summary="Two dataVolumeTemplates have the same name.",
    rationale=(
        "KubeVirt accepts such a list and creates the DataVolume of the first entry only. The other entries have no effect, so "
        "their access modes say nothing about the VM's disk."
    ),
    remediation="Delete the duplicate entry, or give it its own name and volume.",
    source=(
        "pkg/virt-controller/watch/vm/vm.go handleDataVolumes, v1.4.1 to v1.9.0; pkg/virt-controller/watch/vm.go, v1.0.1 to "
        "v1.3.1; pkg/storage/admitters/data-volume-template.go, which does not compare names, v1.9.0"
    ),
    reference="https://kubevirt.io/user-guide/storage/disks_and_volumes/#datavolume",
    check=check,
    examples=(
        Example("one template", _ON_A_DATA_VOLUME, machine=f"{{dataVolumeTemplates: [{_SHARED}]}}"),
        Example(
            "two templates with two names",
            "{domain: {devices: {}}, volumes: [{name: os, dataVolume: {name: os}}, {name: data, dataVolume: {name: data}}]}",
            machine=f"{{dataVolumeTemplates: [{_SHARED}, {_OTHER}]}}",
        ),
        Example("no template", "{domain: {devices: {}}, volumes: []}", machine="{dataVolumeTemplates: []}"),
        Example(
            "two templates with one name",
            _ON_A_DATA_VOLUME,
            machine=f"{{dataVolumeTemplates: [{_SHARED}, {_LOCAL}]}}",
            violates=("spec.dataVolumeTemplates[1]",),
        ),
        Example(
            "an entry that is repeated word by word",
            _ON_A_DATA_VOLUME,
            machine=f"{{dataVolumeTemplates: [{_SHARED}, {_SHARED}]}}",
            violates=("spec.dataVolumeTemplates[1]",),
        ),
        Example(
            "three templates with one name",
            _ON_A_DATA_VOLUME,
            machine=f"{{dataVolumeTemplates: [{_SHARED}, {_SHARED}, {_LOCAL}]}}",
            violates=("spec.dataVolumeTemplates[1]", "spec.dataVolumeTemplates[2]"),
        ),
    ),
)
