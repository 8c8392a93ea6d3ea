"""KubeVirt 1.0 could not move a guest whose emulator thread has a CPU of its own."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.kubevirt.releases import Reason
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Violation


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    isolated = facts.isolated_emulator_thread
    if isolated is not None:
        brought = f" (brought by {isolated.origin})" if isolated.origin else ""
        yield Violation(
            isolated.path, f"dedicatedCpuPlacement and isolateEmulatorThread are both true{brought}", "dedicated cpu"
        )


RULE = Rule(
    id="LM407",
    name="dedicated-emulator-thread",
    about=About.VMI,
    reason=Reason.DEDICATED_CPU,
    summary="Dedicated CPUs with an isolated emulator thread.",
    rationale="KubeVirt 1.0 could not migrate this; 1.1 and later can.",
    remediation="Remove isolateEmulatorThread, or run KubeVirt 1.1 or later.",
    source="pkg/util/util.go, v1.0.1 line 106",
    reference=MIGRATION_GUIDE,
    check=check,
    examples=(
        Example(
            "from 1.1 on",
            "{domain: {devices: {}, cpu: {dedicatedCpuPlacement: true, isolateEmulatorThread: true}}}",
            release="1.3",
        ),
        Example(
            "in 1.0",
            "{domain: {devices: {}, cpu: {dedicatedCpuPlacement: true, isolateEmulatorThread: true}}}",
            violates=("domain.cpu.isolateEmulatorThread",),
            release="1.0",
        ),
    ),
)
