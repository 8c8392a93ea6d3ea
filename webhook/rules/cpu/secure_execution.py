"""On s390x any launchSecurity, even an empty one, means Secure Execution."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.kubevirt.releases import Reason
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Undetermined, Violation


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    security = facts.launch_security
    if security is None or facts.architecture != "s390x":
        return
    hidden = facts.hidden_architecture
    if hidden is not None:
        yield Undetermined(
            security.path,
            f"launchSecurity on s390x means IBM Secure Execution, and the architecture is not certain: {hidden.why}",
            hidden.settle,
            "secure execution",
            unreadable=hidden.unreadable,
        )
    else:
        yield Violation(security.path, "launchSecurity on s390x means IBM Secure Execution", "secure execution")


RULE = Rule(
    id="LM404",
    name="secure-execution",
    about=About.VMI,
    reason=Reason.SECURE_EXECUTION,
    summary="The guest runs under IBM Secure Execution.",
    rationale="Its memory is encrypted for one machine, so KubeVirt (1.6 and later) does not migrate such a VM.",
    remediation="Remove launchSecurity, if the guest need not be protected from its host; else expect no live migration.",
    source="pkg/util/s390x.go, v1.9.0 line 22",
    reference=MIGRATION_GUIDE,
    check=check,
    examples=(
        Example("an empty one on amd64", "{domain: {devices: {}, launchSecurity: {}}, architecture: amd64}"),
        Example(
            "an empty one on s390x",
            "{domain: {devices: {}, launchSecurity: {}}, architecture: s390x}",
            violates=("domain.launchSecurity",),
        ),
        Example(
            "an empty one on s390x up to 1.5",
            "{domain: {devices: {}, launchSecurity: {}}, architecture: s390x}",
            release="1.5",
        ),
    ),
)
