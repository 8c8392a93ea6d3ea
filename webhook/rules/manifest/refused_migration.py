"""KubeVirt refuses to migrate a VMI whose condition LiveMigratable is False."""

from collections.abc import Iterator

from webhook.facts.manifest import ManifestFacts
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Severity, Violation

_VMIM = (
    "{{apiVersion: kubevirt.io/v1, kind: VirtualMachineInstanceMigration, metadata: {{name: m, namespace: tenant}}, "
    "spec: {}}}"
)


def _vmi(name: str, devices: str) -> dict[str, object]:
    interface = {"name": "default", devices: {}}
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstance",
        "metadata": {"name": name, "namespace": "tenant"},
        "spec": {
            "domain": {"devices": {"interfaces": [interface]}, "cpu": {"model": "host-passthrough"}},
            "networks": [{"name": "default", "pod": {}}],
        },
    }


def check(facts: ManifestFacts) -> Iterator[Outcome]:
    if facts.refusal:
        yield Violation(
            ("spec", "vmiName"),
            f"KubeVirt refuses this migration: {facts.refusal}",
            "vmiName",
        )


RULE = Rule(
    id="LM811",
    name="refused-migration",
    about=About.MANIFEST,
    severity=Severity.WARNING,
    summary="A VirtualMachineInstanceMigration names a VM that cannot be live-migrated.",
    rationale=(
        "KubeVirt's webhook refuses a VirtualMachineInstanceMigration if the condition LiveMigratable of the VMI is "
        "False. Only VMs in the checked files count. Decentralized migrations are left out."
    ),
    remediation="Correct what prevents the live migration of the VM, then create the VirtualMachineInstanceMigration.",
    source=(
        "pkg/virt-api/webhooks/validating-webhook/admitters/migration-create-admitter.go isMigratable, v1.3.1 and "
        "v1.9.0"
    ),
    reference=MIGRATION_GUIDE,
    check=check,
    examples=(
        Example("a VMI that can be live-migrated", _VMIM.format("{vmiName: a}"), world=(_vmi("a", "masquerade"),)),
        Example("a VMI that was not provided", _VMIM.format("{vmiName: a}")),
        Example("another VMI that cannot be live-migrated", _VMIM.format("{vmiName: a}"), world=(_vmi("b", "bridge"),)),
        Example(
            "a decentralized migration",
            _VMIM.format("{vmiName: a, sendTo: {connectURL: 'b:9185', migrationID: x}}"),
            world=(_vmi("a", "bridge"),),
        ),
        Example(
            "a VMI with bridge binding on the pod network",
            _VMIM.format("{vmiName: a}"),
            world=(_vmi("a", "bridge"),),
            violates=("spec.vmiName",),
        ),
        Example(
            "the same VMI, in KubeVirt 1.3",
            _VMIM.format("{vmiName: a}"),
            world=(_vmi("a", "bridge"),),
            violates=("spec.vmiName",),
            release="1.3",
        ),
        Example(
            "one of two VMIs with bridge binding on the pod network",
            _VMIM.format("{vmiName: b}"),
            world=(_vmi("a", "masquerade"), _vmi("b", "bridge")),
            violates=("spec.vmiName",),
        ),
    ),
)
