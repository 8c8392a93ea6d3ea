"""virt-api crashes when it adds a preference's CPU features to a VM without the field ``cpu``."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.objects.meta import Json
from webhook.rules.example import instancetype
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation

_PREFERS = "{preference: {name: p}}"
_NO_CPU = "{domain: {devices: {}}}"


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    if facts.crashing_preference is not None:
        yield Violation(
            facts.crashing_preference,
            "the preference has preferredCPUFeatures, but the VM has no domain.cpu, so virt-api crashes when it checks the VM",
            "preference",
        )


def _preference(**spec: Json) -> Json:
    return {
        "apiVersion": "instancetype.kubevirt.io/v1beta1",
        "kind": "VirtualMachineClusterPreference",
        "metadata": {"name": "p"},
        "spec": spec,
    }


_FEATURES = _preference(cpu={"preferredCPUFeatures": [{"name": "invtsc", "policy": "require"}]})
RULE = Rule(
    id="LM408",
    name="preferred-features-without-cpu",
    about=About.VMI,
    severity=Severity.WARNING,
    summary="A preference has CPU features, and the VM has neither domain.cpu nor an instancetype.",
    rationale=(
        "virt-api adds the preference's features to `domain.cpu` without a check that the field exists. Its request handler "
        "panics, and the API server refuses the VM with an internal error that does not name the cause. An instancetype "
        "creates the field."
    ),
    remediation="Write `cpu: {}` under domain in the VM's template.",
    source=(
        "pkg/instancetype/preference/apply/cpu.go applyCPUPreferences, v1.5.3 to v1.9.0; pkg/instancetype/instancetype.go, "
        "v1.3.1 and v1.4.1"
    ),
    reference="https://kubevirt.io/user-guide/user_workloads/instancetypes/",
    check=check,
    examples=(
        Example("an empty cpu", "{domain: {devices: {}, cpu: {}}}", vm_spec=_PREFERS, world=(_FEATURES,)),
        Example("a preference without CPU features", _NO_CPU, vm_spec=_PREFERS, world=(_preference(cpu={}),)),
        Example(
            "an instancetype, which creates the field",
            _NO_CPU,
            vm_spec="{preference: {name: p}, instancetype: {name: small}}",
            world=(_FEATURES, instancetype("small")),
        ),
        Example("no cpu", _NO_CPU, vm_spec=_PREFERS, world=(_FEATURES,), violates=("spec.preference",)),
        Example("no domain", "{}", vm_spec=_PREFERS, world=(_FEATURES,), violates=("spec.preference",)),
        Example(
            "no cpu in 1.3", _NO_CPU, vm_spec=_PREFERS, world=(_FEATURES,), violates=("spec.preference",), release="1.3"
        ),
    ),
)
