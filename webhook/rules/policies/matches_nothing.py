"""Selectors that no known VM has the labels for."""

from collections.abc import Iterator

from webhook.facts.policy import PolicyFacts
from webhook.kubevirt.settings.selectors import mislabelled, selecting
from webhook.objects.meta import Json
from webhook.rules.policies._policy import BASE, SOURCE, policy
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Undetermined, Violation
from webhook.rules.settings._words import POLICY_GUIDE


def check(facts: PolicyFacts) -> Iterator[Outcome]:
    if facts.selectors is None or not facts.vms or facts.malformed:
        return
    found = selecting(facts.selectors, facts.vms)
    path = (*BASE, "selectors")
    if found is None:
        remedy = "give the manifests of the namespaces too"
        if not all(vm.namespace for vm in facts.vms):
            remedy += ", and write metadata.namespace of each VM"
        yield Undetermined(
            path,
            "whether these selectors match a VM depends on labels of its namespace, which nobody showed us",
            remedy,
            "no VM",
        )
    elif not found:
        known = "the one VM that is" if len(facts.vms) == 1 else f"any of the {len(facts.vms)} VMs that are"
        remedy = ""
        if (near := mislabelled(facts.selectors, facts.vms)) is not None:
            remedy = f"{near.kind} {near.name!r} has these labels in its own metadata: write them under spec.template.metadata."
        yield Violation(path, f"these selectors do not match {known} known here", "no VM", remedy)


def _vm(*, labels: dict[str, str], outer: dict[str, str] | None = None) -> Json:
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {"name": "db", "namespace": "tenant", "labels": outer or {}},
        "spec": {"template": {"metadata": {"labels": labels}, "spec": {"domain": {"devices": {}}}}},
    }


def _namespace(**labels: str) -> Json:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "tenant", "labels": labels}}


_BY_TEAM = "{selectors: {namespaceSelector: {team: db}}}"
RULE = Rule(
    id="LM644",
    name="policy-matches-nothing",
    about=About.POLICY,
    severity=Severity.WARNING,
    summary="A MigrationPolicy selects none of the VMs that are known.",
    rationale=(
        "KubeVirt compares the labels of the VMI, which are those of the VM's template and not of the VM, and the labels of "
        "its namespace. All that are listed must be there with the same value. A policy that matches nothing does nothing."
    ),
    remediation="Write labels that stand in spec.template.metadata.labels of a VM, or on its namespace.",
    source=SOURCE,
    reference=POLICY_GUIDE,
    check=check,
    examples=(
        Example("a VM of that label", policy("allowPostCopy: true"), world=(_vm(labels={"speed": "fast"}),)),
        Example("no VM is known", policy("allowPostCopy: true")),
        Example(
            "another value",
            policy("allowPostCopy: true"),
            world=(_vm(labels={"speed": "slow"}),),
            violates=("selectors",),
        ),
        Example(
            "the label on the VM, not on its template",
            policy("allowPostCopy: true"),
            world=(_vm(labels={}, outer={"speed": "fast"}),),
            violates=("selectors",),
        ),
        Example("a namespace of that label", _BY_TEAM, world=(_vm(labels={}), _namespace(team="db"))),
        Example("another namespace", _BY_TEAM, world=(_vm(labels={}), _namespace(team="web")), violates=("selectors",)),
        Example("a namespace that nobody showed us", _BY_TEAM, world=(_vm(labels={}),), undetermined=("selectors",)),
    ),
)
