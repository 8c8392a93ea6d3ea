"""KubeVirt's workload updater skips update methods that it does not know."""

from collections.abc import Iterator

from webhook.facts.settings import SettingsFacts
from webhook.kubevirt.schema.spelling import close_matches
from webhook.objects.path import FieldPath
from webhook.objects.shown import shown
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation

METHODS_PATH: FieldPath = ("spec", "workloadUpdateStrategy", "workloadUpdateMethods")
MIGRATE, EVICT = "LiveMigrate", "Evict"
METHODS = (MIGRATE, EVICT)


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    lower = {method.lower(): method for method in METHODS}
    for index, method in enumerate(facts.workload_update_methods):
        if method in METHODS:
            continue
        close = close_matches(method.lower(), lower)
        yield Violation(
            (*METHODS_PATH, index),
            f"KubeVirt has no update method {shown(method)}, so it ignores this entry",
            f"method {shown(method)}",
            f"Did you mean {lower[close[0]]}?" if close else "",
        )


def _methods(methods: str) -> str:
    return f"{{workloadUpdateStrategy: {{workloadUpdateMethods: [{methods}]}}}}"


_AT = "workloadUpdateStrategy.workloadUpdateMethods"
RULE = Rule(
    id="LM629",
    name="unknown-update-method",
    about=About.SETTINGS,
    severity=Severity.WARNING,
    summary="An entry of workloadUpdateMethods is not a method that KubeVirt has.",
    rationale=(
        "The CRD does not list the valid methods, so the API server accepts any text. KubeVirt compares the methods "
        "case-sensitively, and ignores unknown methods. VMs then keep their old virt-launcher."
    ),
    remediation="Write LiveMigrate, Evict or both.",
    source=(
        "staging/src/kubevirt.io/api/core/v1/types.go WorkloadUpdateMethod, "
        "pkg/virt-controller/watch/workload-updater/workload-updater.go getUpdateData, v1.3.1 and v1.9.0"
    ),
    reference="https://kubevirt.io/user-guide/cluster_admin/updating_and_deletion/#updating-kubevirt-workloads",
    check=check,
    examples=(
        Example("both methods", _methods("LiveMigrate, Evict")),
        Example("one method", _methods("LiveMigrate")),
        Example("no methods", _methods("")),
        Example("another word", _methods("LiveMigration, Evict"), violates=(f"{_AT}[0]",)),
        Example("the wrong case", _methods("LiveMigrate, evict"), violates=(f"{_AT}[1]",)),
        Example("the API's old method", _methods("Shutdown"), violates=(f"{_AT}[0]",), release="1.3"),
    ),
)
