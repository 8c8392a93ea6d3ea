"""On s390x, launchSecurity enables IBM Secure Execution even if it is empty."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.kubevirt.releases import Reason
from webhook.rules.example import kubevirt
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Undetermined, Violation

_EMPTY = "{domain: {devices: {}, launchSecurity: {}}, architecture: s390x}"


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    security = facts.launch_security
    if security is None or facts.architecture != "s390x":
        return
    hidden = facts.hidden_architecture
    if hidden is not None:
        yield Undetermined(
            security.path,
            "launchSecurity on s390x enables IBM Secure Execution, and a preference might set another architecture; "
            f"{hidden.why}",
            hidden.settle,
            "secure execution",
            unreadable=hidden.unreadable,
        )
    else:
        yield Violation(
            security.path,
            "launchSecurity on s390x enables IBM Secure Execution, so KubeVirt 1.6 and later cannot live-migrate the VM",
            "secure execution",
        )


RULE = Rule(
    id="LM404",
    name="secure-execution",
    about=About.VMI,
    reason=Reason.SECURE_EXECUTION,
    summary="The guest runs under IBM Secure Execution.",
    rationale="The memory is encrypted for one physical machine, so KubeVirt (1.6 and later) does not migrate such a VM.",
    remediation=(
        "Remove launchSecurity. If the guest must be protected from its node, ask the administrator for an exemption, and set "
        "`spec.template.spec.evictionStrategy` of the VM to LiveMigrateIfPossible. The VM is refused until the exemption "
        "exists."
    ),
    source="pkg/util/s390x.go, v1.9.0 line 22",
    reference=MIGRATION_GUIDE,
    check=check,
    examples=(
        Example("an empty launchSecurity on amd64", "{domain: {devices: {}, launchSecurity: {}}, architecture: amd64}"),
        Example("no launchSecurity on s390x", "{domain: {devices: {}}, architecture: s390x}"),
        Example("an empty launchSecurity on s390x", _EMPTY, violates=("domain.launchSecurity",)),
        Example("an empty launchSecurity on s390x in 1.6", _EMPTY, violates=("domain.launchSecurity",), release="1.6"),
        Example(
            "SEV on s390x",
            "{domain: {devices: {}, launchSecurity: {sev: {}}}, architecture: s390x}",
            violates=("domain.launchSecurity",),
        ),
        Example("an empty launchSecurity on s390x in 1.5", _EMPTY, release="1.5"),
        Example(
            "a cluster of s390x nodes, and a preference that was not provided",
            "{domain: {devices: {}, launchSecurity: {}}}",
            world=(kubevirt(architectureConfiguration={"defaultArchitecture": "s390x"}),),
            vm_spec="{preference: {name: hardened}}",
            undetermined=("spec.template.spec.domain.launchSecurity",),
        ),
    ),
)
