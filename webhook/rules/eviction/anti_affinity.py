"""If VMs must run on different nodes, a migration needs one node more than the number of VMs."""

from collections.abc import Iterator

from webhook.facts.target import TargetFacts
from webhook.facts.unknown import Unknown
from webhook.kubevirt.launcher.known_nodes import running_vms
from webhook.objects.meta import Json
from webhook.rules.example import NAMESPACE, node
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation

_AT = ("affinity", "podAntiAffinity", "requiredDuringSchedulingIgnoredDuringExecution")


def check(facts: TargetFacts) -> Iterator[Outcome]:
    if isinstance(facts.nodes, Unknown) or not facts.apart:
        return
    nodes = len(running_vms(facts.nodes))
    for index, vms in facts.apart.items():
        if vms >= nodes > 1:
            message = f"{vms} VMs must run on different nodes, but only {nodes} nodes run VMs, so no VM can move"
            yield Violation(facts.vmi.at(*_AT, index), message, f"anti-affinity {index}")


def _vm(name: str, app: str = "db", **spec: object) -> Json:
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "template": {"metadata": {"labels": {"app": app}}, "spec": {"domain": {"devices": {}}}},
            **spec,
        },
    }


_TERM = "{labelSelector: {matchLabels: {app: db}}, topologyKey: kubernetes.io/hostname}"
_APART = (
    "{domain: {devices: {}}, affinity: {podAntiAffinity: "
    f"{{requiredDuringSchedulingIgnoredDuringExecution: [{_TERM}]}}}}}}"
)
_TWO = (node("n1"), node("n2"))
_AT_TERM = ("affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]",)
RULE = Rule(
    id="LM510",
    name="anti-affinity-on-every-node",
    about=About.TARGET,
    severity=Severity.WARNING,
    summary="VMs must run on different nodes, and no node is left for a migration.",
    rationale=(
        "The target pod has the VM's anti-affinity and its labels, and the source pod still runs. If each node runs "
        "one of the VMs, the target pod finds no node, and the migration fails after five minutes."
    ),
    remediation="Add a node, run fewer VMs, or write preferredDuringSchedulingIgnoredDuringExecution.",
    source="pkg/virt-controller/services/template.go RenderMigrationManifest, v1.9.0",
    reference="https://kubevirt.io/user-guide/compute/node_assignment/",
    check=check,
    examples=(
        Example("two VMs on three nodes", _APART, labels={"app": "db"}, world=(*_TWO, node("n3"), _vm("other"))),
        Example("another VM with other labels", _APART, labels={"app": "db"}, world=(*_TWO, _vm("other", "web"))),
        Example(
            "another VM that is stopped",
            _APART,
            labels={"app": "db"},
            world=(*_TWO, _vm("other", runStrategy="Halted")),
        ),
        Example("a VM without the label", _APART, world=(*_TWO, _vm("other"))),
        Example("two VMs on two nodes", _APART, labels={"app": "db"}, world=(*_TWO, _vm("other")), violates=_AT_TERM),
        Example(
            "three VMs on three nodes",
            _APART,
            labels={"app": "db"},
            world=(*_TWO, node("n3"), _vm("second"), _vm("third")),
            violates=_AT_TERM,
        ),
        Example(
            "three VMs on two nodes",
            _APART,
            labels={"app": "db"},
            world=(*_TWO, _vm("second"), _vm("third")),
            violates=_AT_TERM,
        ),
    ),
)
