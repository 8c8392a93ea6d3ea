"""If two policies match a VM equally well, the name decides. Only provided policies are compared."""

from collections.abc import Iterator

from webhook.facts.policy import PolicyFacts, Selectors
from webhook.objects.meta import Json
from webhook.rules.policies._policy import BASE, SOURCE, policy
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation
from webhook.rules.settings._setting import POLICY_GUIDE


def check(facts: PolicyFacts) -> Iterator[Outcome]:
    mine = facts.selectors
    if mine is None or facts.malformed:
        return
    for name, other in facts.tied:
        first = min(facts.name, name)
        relation = "has the same selectors as" if equal(mine, other) else "can match the same VM as closely as"
        yield Violation(
            (*BASE, "selectors"),
            f"this MigrationPolicy {relation} {name!r}; if a VM matches both, {first!r} wins because its name comes "
            "first",
            f"tied with {name}",
        )


def equal(mine: Selectors, other: Selectors) -> bool:
    """Whether two policies select the same VMs. A missing selector counts as empty."""
    return (mine.namespace or {}, mine.vmi or {}) == (other.namespace or {}, other.vmi or {})


def _other(name: str, **labels: str) -> Json:
    return {
        "apiVersion": "migrations.kubevirt.io/v1alpha1",
        "kind": "MigrationPolicy",
        "metadata": {"name": name},
        "spec": {"selectors": {"virtualMachineInstanceSelector": labels}},
    }


RULE = Rule(
    id="LM636",
    name="tied-policies",
    about=About.POLICY,
    severity=Severity.WARNING,
    summary="Two MigrationPolicies can match the same VM equally well.",
    rationale=(
        "KubeVirt never merges policies. The policy with the most labels wins, then the policy with the most labels of the "
        "VMI, then the first policy by name. If only the name decides, renaming a policy changes how VMs migrate."
    ),
    remediation="Add a label to one of the policies, or merge the two.",
    source=SOURCE,
    reference=POLICY_GUIDE,
    check=check,
    examples=(
        Example("another value of the same label", policy("allowPostCopy: true"), world=(_other("z", speed="slow"),)),
        Example("no other policies provided", policy("allowPostCopy: true")),
        Example("one label more", policy("allowPostCopy: true"), world=(_other("z", speed="fast", size="big"),)),
        Example(
            "the same selectors, and a name that comes first",
            policy("allowPostCopy: true"),
            world=(_other("a", speed="fast"),),
            violates=("selectors",),
        ),
        Example(
            "the same selectors",
            policy("allowPostCopy: true"),
            world=(_other("z", speed="fast"),),
            violates=("selectors",),
        ),
        Example(
            "another label, so that a VM can have both",
            policy("allowPostCopy: true"),
            world=(_other("z", size="big"),),
            violates=("selectors",),
        ),
    ),
)
