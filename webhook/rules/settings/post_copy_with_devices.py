"""KubeVirt 1.9 does not use post-copy for VMs with devices of the node."""

from collections.abc import Iterator

from webhook.facts.budget import BudgetFacts
from webhook.facts.unknown import Unknown
from webhook.kubevirt.releases import newest, since
from webhook.kubevirt.settings.settings import ALLOW_POST_COPY, ALLOW_WORKLOAD_DISRUPTION
from webhook.kubevirt.settings.time_allowed import NO_POST_COPY_WITH_DEVICES, values_for
from webhook.objects.shown import shown
from webhook.rules.example import kubevirt
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation
from webhook.rules.settings._setting import MONITOR_SOURCE

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
        instead = "it pauses the guest at the timeout" if paused else "it cancels the migration at the timeout"
        yield Violation(
            facts.passed_through,
            f"this VM uses a device of its node, so KubeVirt does not use post-copy although {whose}: {instead}",
            "post-copy",
            releases=RELEASES,
        )


_INTERFACE = "{domain: {devices: {interfaces: [{name: fast, sriov: {}}]}}, networks: [{name: fast, multus: {networkName: fast}}]}"
_ALLOWED = kubevirt(migrations={"allowPostCopy": True})
_NO_MATCH = {
    "apiVersion": "migrations.kubevirt.io/v1alpha1",
    "kind": "MigrationPolicy",
    "metadata": {"name": "other"},
    "spec": {"selectors": {"virtualMachineInstanceSelector": {"team": "web"}}},
}
RULE = Rule(
    id="LM643",
    name="post-copy-with-passed-through-device",
    about=About.BUDGET,
    severity=Severity.INFO,
    summary="Post-copy is allowed for a VM with a device of its node, but KubeVirt does not use it.",
    rationale=(
        "A GPU, a host device or an SR-IOV interface cannot fetch memory from the other node. From 1.9 on, KubeVirt "
        "pauses such a guest instead of switching to post-copy, and then allows up to twice the time."
    ),
    remediation="Accept the pause, or set allowWorkloadDisruption to false in a MigrationPolicy for this VM.",
    source=MONITOR_SOURCE + "; pkg/vmitrait/vmitrait.go HasVFIO, v1.9.0",
    reference="https://kubevirt.io/user-guide/compute/live_migration/#post-copy",
    check=check,
    examples=(
        Example("pre-copy", _INTERFACE, world=(kubevirt(), _NO_MATCH)),
        Example("no device", "{domain: {devices: {autoattachPodInterface: false}}}", world=(_ALLOWED, _NO_MATCH)),
        Example(
            "an SR-IOV interface",
            _INTERFACE,
            world=(_ALLOWED, _NO_MATCH),
            violates=("domain.devices.interfaces[0]",),
        ),
        Example(
            "an SR-IOV interface beside a bridge interface",
            _INTERFACE.replace(
                "[{name: fast, sriov: {}}]", "[{name: fast, sriov: {}}, {name: slow, bridge: {}}]"
            ).replace("[{name: fast, multus:", "[{name: slow, multus: {networkName: slow}}, {name: fast, multus:"),
            world=(_ALLOWED, _NO_MATCH),
            violates=("domain.devices.interfaces[0]",),
        ),
        Example(
            "no workload disruption",
            _INTERFACE,
            world=(kubevirt(migrations={"allowPostCopy": True, "allowWorkloadDisruption": False}), _NO_MATCH),
            violates=("domain.devices.interfaces[0]",),
        ),
        Example("before 1.9", _INTERFACE, world=(_ALLOWED, _NO_MATCH), release="1.8"),
    ),
)
