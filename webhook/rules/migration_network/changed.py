"""Nothing restarts when the configuration of the migration network changes, so nodes drift apart."""

from collections.abc import Iterator

from webhook.facts.network import NetworkChangeFacts
from webhook.rules.migration_network._network import NAMED, NETWORK_GUIDE, addressed
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation

_OLD = addressed('"type": "whereabouts", "range": "10.1.1.0/24"')
_NEW = addressed('"type": "whereabouts", "range": "10.1.2.0/24"')


def check(facts: NetworkChangeFacts) -> Iterator[Outcome]:
    yield Violation(
        facts.path,
        f"{facts.after!r} is KubeVirt's migration network: each node uses the new configuration only after its "
        "virt-handler has restarted",
        "config",
    )


RULE = Rule(
    id="LM720",
    name="migration-network-reconfigured",
    about=About.NETWORK_CHANGE,
    severity=Severity.WARNING,
    summary="The configuration of the migration network changes while KubeVirt uses it.",
    rationale=(
        "An interface is made when its pod starts, and virt-operator does not look at the NetworkAttachmentDefinition. Until "
        "virt-handler has restarted everywhere, some nodes are on the old network and some on the new one, and between "
        "these no VM can migrate."
    ),
    remediation=(
        "Change it while no migration runs, then restart virt-handler on every node: `kubectl rollout restart "
        "daemonset/virt-handler` in KubeVirt's namespace. Safer: create another NetworkAttachmentDefinition and name "
        "that one in the KubeVirt CR."
    ),
    source=(
        "pkg/virt-operator/resource/generate/components/daemonsets.go NewHandlerDaemonSet, v1.9.0: the pod template holds the "
        "name alone"
    ),
    reference=NETWORK_GUIDE,
    check=check,
    examples=(
        Example("another range", _NEW, world=(NAMED,), before=_OLD, violates=("config",)),
        Example("the same range", _OLD, world=(NAMED,), before=_OLD),
        Example("another range of another network", _NEW, before=_OLD),
    ),
)
