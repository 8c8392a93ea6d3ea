"""Post-copy is not for VMs that hold devices of the node."""

from collections.abc import Iterator

from webhook.facts.budget import BudgetFacts
from webhook.facts.unknown import Unknown
from webhook.kubevirt.releases import newest, since
from webhook.kubevirt.settings.settings import ALLOW_POST_COPY, ALLOW_WORKLOAD_DISRUPTION
from webhook.kubevirt.settings.time_allowed import NO_POST_COPY_WITH_DEVICES, values_for
from webhook.objects.shown import shown
from webhook.rules.example import kubevirt
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation
from webhook.rules.settings._words import MONITOR_SOURCE

RELEASES = since(NO_POST_COPY_WITH_DEVICES)


def check(facts: BudgetFacts) -> Iterator[Outcome]:
    releases = facts.releases & RELEASES
    if facts.passed_through is None or not releases or isinstance(facts.winners, Unknown) or len(facts.winners) > 1:
        return
    [winner] = facts.winners
    values = values_for(facts.migrations, winner, newest(releases))
    if values[ALLOW_POST_COPY] is True:
        whose = f"MigrationPolicy {shown(winner.name)} allows it" if winner is not None else "the KubeVirt CR allows it"
        paused = values[ALLOW_WORKLOAD_DISRUPTION] is True
        instead = (
            "it pauses the guest when the time is over" if paused else "it cancels the migration when the time is over"
        )
        yield Violation(
            facts.passed_through,
            f"this VM holds a device of its node, so KubeVirt does not use post-copy although {whose}: {instead}",
            "post-copy",
            releases=RELEASES,
        )


_INTERFACE = "{domain: {devices: {interfaces: [{name: fast, sriov: {}}]}}, networks: [{name: fast, multus: {networkName: fast}}]}"
_ALLOWED = kubevirt(migrations={"allowPostCopy": True})
_NONE = {
    "apiVersion": "migrations.kubevirt.io/v1alpha1",
    "kind": "MigrationPolicy",
    "metadata": {"name": "other"},
    "spec": {"selectors": {"virtualMachineInstanceSelector": {"nobody": "has this"}}},
}
RULE = Rule(
    id="LM643",
    name="post-copy-with-passed-through-device",
    about=About.BUDGET,
    severity=Severity.INFO,
    summary="Post-copy is allowed for a VM that holds a device of its node, and will not be used.",
    rationale=(
        "A GPU, a host device or an SR-IOV interface cannot fetch memory from the other node. From 1.9 on KubeVirt sees "
        "to that: where post-copy would begin, it makes QEMU stop the guest and carry the rest, for up to twice the time allowed."
    ),
    remediation="Expect the pause, or set allowWorkloadDisruption to false in a MigrationPolicy for this VM.",
    source=MONITOR_SOURCE + "; pkg/vmitrait/vmitrait.go HasVFIO, v1.9.0",
    reference="https://kubevirt.io/user-guide/compute/live_migration/#post-copy",
    check=check,
    examples=(
        Example("pre-copy", _INTERFACE, world=(kubevirt(), _NONE)),
        Example("no device", "{domain: {devices: {autoattachPodInterface: false}}}", world=(_ALLOWED, _NONE)),
        Example(
            "an SR-IOV interface",
            _INTERFACE,
            world=(_ALLOWED, _NONE),
            violates=("domain.devices.interfaces[0]",),
        ),
        Example("before 1.9", _INTERFACE, world=(_ALLOWED, _NONE), release="1.8"),
    ),
)
