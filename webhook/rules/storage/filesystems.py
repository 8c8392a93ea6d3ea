"""virtiofs mounts a volume into the guest as a filesystem."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.kubevirt.releases import Reason
from webhook.rules.cel import Cel, bounded, printable
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Violation

_CONFIG = "volumes: [{name: cm, configMap: {name: cm}}]"
_MESSAGE = (
    "is mounted as a filesystem (virtiofs), so KubeVirt 1.4 and earlier cannot live-migrate the VM. KubeVirt 1.5 and "
    "later can. For these releases, only Migratable's fixed list refuses it, and profile `exact` only warns"
)


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    domain = facts.spec.domain
    for index, filesystem in enumerate((domain.devices.filesystems if domain and domain.devices else None) or ()):
        if filesystem.virtiofs is not None:
            yield Violation(
                facts.at("domain", "devices", "filesystems", index),
                f"volume {filesystem.name!r} {_MESSAGE}",
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
        "virtiofs keeps state in a process beside the guest. KubeVirt 1.4 and earlier cannot migrate that state. "
        "KubeVirt 1.5 and later can. The rule stays on Migratable's fixed list."
    ),
    remediation=(
        "Attach the volume under domain.devices.disks as `{name: VOLUME, disk: {}}`, and remove it from "
        "domain.devices.filesystems."
    ),
    source="pkg/virt-handler/vm.go calculateLiveMigrationCondition, v1.4.1; removed in v1.5.0 (commit fc81e8bceb)",
    reference=MIGRATION_GUIDE,
    check=check,
    cel=(
        Cel(
            among="filesystems",
            path="domain.devices.filesystems[{index}]",
            message=f"volume '{{{printable('it.name')}}}' {_MESSAGE}",
            identity=f"filesystem {{{bounded('it.name')}}}",
        ),
    ),
    examples=(
        Example("a disk", f"{{domain: {{devices: {{disks: [{{name: cm, disk: {{}}}}]}}}}, {_CONFIG}}}"),
        Example("an empty list", f"{{domain: {{devices: {{filesystems: []}}}}, {_CONFIG}}}"),
        Example("a volume without a disk", f"{{domain: {{devices: {{}}}}, {_CONFIG}}}"),
        Example(
            "virtiofs in 1.4: KubeVirt refuses it",
            f"{{domain: {{devices: {{filesystems: [{{name: cm, virtiofs: {{}}}}]}}}}, {_CONFIG}}}",
            violates=("domain.devices.filesystems[0]",),
            release="1.4",
        ),
        Example(
            "virtiofs in 1.9: only the fixed list refuses it",
            f"{{domain: {{devices: {{filesystems: [{{name: cm, virtiofs: {{}}}}]}}}}, {_CONFIG}}}",
            violates=("domain.devices.filesystems[0]",),
        ),
        Example(
            "two filesystems",
            "{domain: {devices: {filesystems: [{name: cm, virtiofs: {}}, {name: home, virtiofs: {}}]}}, "
            "volumes: [{name: cm, configMap: {name: cm}}, {name: home, secret: {secretName: home}}]}",
            violates=("domain.devices.filesystems[0]", "domain.devices.filesystems[1]"),
        ),
    ),
)
