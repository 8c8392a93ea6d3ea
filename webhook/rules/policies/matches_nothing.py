"""The selectors of a policy must match the labels of some VM."""

from collections.abc import Iterator

from webhook.facts.policy import PolicyFacts
from webhook.objects.meta import Json
from webhook.rules.policies._policy import BASE, SOURCE, policy
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Undetermined, Violation
from webhook.rules.settings._setting import POLICY_GUIDE


def check(facts: PolicyFacts) -> Iterator[Outcome]:
    selection = facts.selection
    if selection is None or facts.malformed:
        return
    path = (*BASE, "selectors")
    if selection.any_matches is None:
        remedy = "pass the manifests of the namespaces too"
        if not selection.all_have_namespaces:
            remedy += ", and set metadata.namespace of each VM"
        yield Undetermined(
            path,
            "whether these selectors match a VM depends on labels of its namespace, which were not provided",
            remedy,
            "no VM",
        )
    elif not selection.any_matches:
        known = "the one VM" if selection.vms == 1 else f"any of the {selection.vms} VMs"
        remedy = ""
        if (near := selection.mislabelled) is not None:
            place = "spec.template.metadata.labels"
            remedy = f"{near.kind} {near.name!r} has these labels in its own metadata. Move the labels to {place}."
        yield Violation(path, f"these selectors do not match {known} provided", "no VM", remedy)


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
    summary="A MigrationPolicy matches none of the VMs that were provided.",
    rationale=(
        "KubeVirt compares the selectors with the labels of the VMI and of its namespace. The VMI's labels come from "
        "the VM's template, not from the VM itself. Every listed label must be present with the same value. A policy "
        "that matches no VM has no effect."
    ),
    remediation="Use labels from spec.template.metadata.labels of a VM, or from its namespace.",
    source=SOURCE,
    reference=POLICY_GUIDE,
    check=check,
    examples=(
        Example("a VM with the label", policy("allowPostCopy: true"), world=(_vm(labels={"speed": "fast"}),)),
        Example("no VMs provided", policy("allowPostCopy: true")),
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
        Example("a namespace with the label", _BY_TEAM, world=(_vm(labels={}), _namespace(team="db"))),
        Example("another namespace", _BY_TEAM, world=(_vm(labels={}), _namespace(team="web")), violates=("selectors",)),
        Example("no namespace provided", _BY_TEAM, world=(_vm(labels={}),), undetermined=("selectors",)),
    ),
)
