"""A new configuration of the migration network takes effect only when virt-handler restarts."""

from collections.abc import Iterator

from webhook.facts.network import NetworkChangeFacts
from webhook.rules.migration_network._network import MACVLAN, NAMED, NETWORK_GUIDE, addressed, config
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation

_OLD = addressed('"type": "whereabouts", "range": "10.1.1.0/24"')
_NEW = addressed('"type": "whereabouts", "range": "10.1.2.0/24"')


def check(facts: NetworkChangeFacts) -> Iterator[Outcome]:
    yield Violation(
        facts.path,
        f"{facts.after!r} is KubeVirt's migration network, and a node uses the new configuration only after its "
        "virt-handler restarts",
        "config",
    )


RULE = Rule(
    id="LM720",
    name="migration-network-reconfigured",
    about=About.NETWORK_CHANGE,
    severity=Severity.WARNING,
    summary="The configuration of the migration network changes while KubeVirt uses it.",
    rationale=(
        "The plugin creates the interface when the pod starts, and virt-operator does not watch the NetworkAttachmentDefinition. "
        "Until virt-handler has restarted on every node, VMs cannot migrate between nodes with the old and the new configuration."
    ),
    remediation=(
        "Change it while no migration runs. Then restart virt-handler on every node: `kubectl -n NAMESPACE rollout "
        "restart daemonset/virt-handler`, where NAMESPACE is KubeVirt's namespace. It is safer to create another "
        "NetworkAttachmentDefinition, and to set the new name in the KubeVirt CR."
    ),
    source=(
        "pkg/virt-operator/resource/generate/components/daemonsets.go NewHandlerDaemonSet, v1.9.0: the pod template holds "
        "only the name"
    ),
    reference=NETWORK_GUIDE,
    check=check,
    examples=(
        Example("another range", _NEW, world=(NAMED,), before=_OLD, violates=("config",)),
        Example(
            "another interface of the node",
            _OLD.replace("eth1", "eth2"),
            world=(NAMED,),
            before=_OLD,
            violates=("config",),
        ),
        Example("no ipam any more", config(MACVLAN), world=(NAMED,), before=_OLD, violates=("config",)),
        Example("other spaces in the JSON", _OLD.replace(": ", ":  "), world=(NAMED,), before=_OLD),
        Example("the same range", _OLD, world=(NAMED,), before=_OLD),
        Example("another range, in another network", _NEW, before=_OLD),
    ),
)
