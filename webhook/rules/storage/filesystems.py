"""A volume given to the guest as a filesystem, by virtiofs."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.kubevirt.releases import Reason
from webhook.rules.cel import Cel, known, shown
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Violation

_CONFIG = "volumes: [{name: cm, configMap: {name: cm}}]"


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    domain = facts.spec.domain
    for index, filesystem in enumerate((domain.devices.filesystems if domain and domain.devices else None) or ()):
        if filesystem.virtiofs is not None:
            yield Violation(
                facts.at("domain", "devices", "filesystems", index),
                f"volume {filesystem.name!r} is mounted into the guest as a filesystem (virtiofs); KubeVirt refuses to "
                "migrate that up to 1.4 and can from 1.5 on, where profile `exact` lets it pass",
                f"filesystem {filesystem.name}",
            )


RULE = Rule(
    id="LM203",
    name="volume-mounted-as-filesystem",
    about=About.VMI,
    reason=Reason.VIRTIOFS,
    baseline=True,
    summary="A volume is mounted into the guest as a filesystem.",
    rationale=(
        "virtiofs keeps state in a process beside the guest. Up to 1.4 KubeVirt could not move it; from 1.5 on it can, "
        "and the rule stays on Migratable's fixed list."
    ),
    remediation="Attach the volume as a disk under devices.disks instead of devices.filesystems.",
    source="pkg/virt-handler/vm.go calculateLiveMigrationCondition, v1.4.1; removed in v1.5.0 (commit fc81e8bceb)",
    reference=MIGRATION_GUIDE,
    check=check,
    cel=(
        Cel(
            among="filesystems",
            path="domain.devices.filesystems[{index}]",
            message=f"volume '{{{shown('it.name')}}}' is mounted into the guest as a filesystem (virtiofs); KubeVirt refuses "
            "to migrate that up to 1.4 and can from 1.5 on, where profile `exact` lets it pass",
            identity=f"filesystem {{{known('it.name')}}}",
        ),
    ),
    examples=(
        Example("a disk instead", f"{{domain: {{devices: {{disks: [{{name: cm, disk: {{}}}}]}}}}, {_CONFIG}}}"),
        Example(
            "virtiofs where KubeVirt refuses it",
            f"{{domain: {{devices: {{filesystems: [{{name: cm, virtiofs: {{}}}}]}}}}, {_CONFIG}}}",
            violates=("domain.devices.filesystems[0]",),
            release="1.4",
        ),
        Example(
            "virtiofs where only the fixed list refuses it",
            f"{{domain: {{devices: {{filesystems: [{{name: cm, virtiofs: {{}}}}]}}}}, {_CONFIG}}}",
            violates=("domain.devices.filesystems[0]",),
        ),
    ),
)
