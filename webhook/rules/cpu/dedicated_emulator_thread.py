"""KubeVirt 1.0 cannot migrate a guest whose emulator thread has a dedicated CPU."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.kubevirt.releases import Reason
from webhook.rules.example import instancetype
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Violation

_BOTH = "{domain: {devices: {}, cpu: {dedicatedCpuPlacement: true, isolateEmulatorThread: true}}}"


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    isolated = facts.isolated_emulator_thread
    if isolated is not None:
        origin = f" (from {isolated.origin})" if isolated.origin else ""
        yield Violation(
            isolated.path,
            f"dedicatedCpuPlacement and isolateEmulatorThread are both true{origin}, so KubeVirt 1.0 cannot "
            "live-migrate the VM",
            "dedicated cpu",
        )


RULE = Rule(
    id="LM407",
    name="dedicated-emulator-thread",
    about=About.VMI,
    reason=Reason.DEDICATED_CPU,
    summary="The VM has dedicated CPUs and an isolated emulator thread.",
    rationale="KubeVirt 1.0 cannot migrate such a VM. KubeVirt 1.1 and later can.",
    remediation="Remove `isolateEmulatorThread: true`, or run KubeVirt 1.1 or later.",
    source="pkg/util/util.go, v1.0.1 line 106",
    reference=MIGRATION_GUIDE,
    check=check,
    examples=(
        Example("an isolated emulator thread in 1.1 and later", _BOTH, release="1.3"),
        Example("dedicated CPUs alone", "{domain: {devices: {}, cpu: {dedicatedCpuPlacement: true}}}", release="1.0"),
        Example("neither field", "{domain: {devices: {}, cpu: {cores: 2}}}", release="1.0"),
        Example(
            "an isolated emulator thread in 1.0", _BOTH, violates=("domain.cpu.isolateEmulatorThread",), release="1.0"
        ),
        Example(
            "an isolated emulator thread and a CPU model in 1.0",
            "{domain: {devices: {}, cpu: {model: Haswell, dedicatedCpuPlacement: true, isolateEmulatorThread: true}}}",
            violates=("domain.cpu.isolateEmulatorThread",),
            release="1.0",
        ),
        Example(
            "an isolated emulator thread in the instancetype",
            "{domain: {devices: {}}}",
            vm_spec="{instancetype: {name: pinned}}",
            world=(
                instancetype("pinned", cpu={"guest": 1, "dedicatedCPUPlacement": True, "isolateEmulatorThread": True}),
            ),
            violates=("spec.instancetype",),
            release="1.0",
        ),
    ),
)
