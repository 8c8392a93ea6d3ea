"""With CPU model host-model, another node must support the CPU model of the source node."""

from collections.abc import Iterator

from webhook.facts.target import TargetFacts
from webhook.facts.unknown import Unknown
from webhook.kubevirt.launcher.host_model import follows_host_model, host_models
from webhook.objects.meta import Json
from webhook.rules.eviction._cpu_models import common_model, model_path
from webhook.rules.example import kubevirt, node
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Severity, Violation


def check(facts: TargetFacts) -> Iterator[Outcome]:
    if isinstance(facts.nodes, Unknown) or not follows_host_model(facts.vmi):
        return
    found = host_models(facts.vmi, facts.nodes)
    alone, nodes = found.alone, found.nodes
    if not alone or len(nodes) < 2 or len(alone) < found.sources:
        return
    models = ", ".join(sorted({node.traits.host_model for node in alone}))
    message = (
        f"the CPU model is host-model, but no node supports the host model of another node (host models: {models})"
    )
    yield Violation(model_path(facts.vmi), message, "host model", common_model(nodes))


def _node(name: str, host: str, *others: str) -> Json:
    labels = {f"host-model-cpu.node.kubevirt.io/{host}": "true"}
    labels |= {f"cpu-model-migration.node.kubevirt.io/{model}": "true" for model in (host, *others)}
    return node(name, **labels)


_HOST_MODEL = "{domain: {devices: {}, cpu: {model: host-model}}}"
_NEWER, _OLDER = "Cascadelake-Server", "Skylake-Server-IBRS"
_DIFFERENT = (_node("n1", _NEWER), _node("n2", _OLDER))
RULE = Rule(
    id="LM509",
    name="host-model-on-one-node",
    about=About.TARGET,
    severity=Severity.WARNING,
    summary="No node supports the host CPU model of another node.",
    rationale=(
        "With host-model, KubeVirt reports the VM as live-migratable. The target pod needs a node with the label "
        "cpu-model-migration.node.kubevirt.io/MODEL for the source node's model. Without such a node, the migration "
        "fails after five minutes."
    ),
    remediation="Set domain.cpu.model to a CPU model that the nodes have in their labels cpu-model.node.kubevirt.io/MODEL.",
    source="pkg/virt-controller/watch/migration/migration.go prepareNodeSelectorForHostCpuModel, v1.9.0",
    reference=MIGRATION_GUIDE,
    check=check,
    examples=(
        Example("two nodes with the same model", _HOST_MODEL, world=(_node("n1", _NEWER), _node("n2", _NEWER))),
        Example(
            "a newer node that supports the older model",
            _HOST_MODEL,
            world=(_node("n1", _NEWER, _OLDER), _node("n2", _OLDER)),
        ),
        Example("a named model", f"{{domain: {{devices: {{}}, cpu: {{model: {_OLDER}}}}}}}", world=_DIFFERENT),
        Example(
            "a third node with another model, which LM516 reports",
            _HOST_MODEL,
            world=(_node("n1", _NEWER), _node("n2", _NEWER), _node("n3", _OLDER)),
        ),
        Example("nodes without labels for other models", _HOST_MODEL, world=(node("n1"), node("n2"))),
        Example(
            "host-model on nodes with different models", _HOST_MODEL, world=_DIFFERENT, violates=("domain.cpu.model",)
        ),
        Example(
            "the default CPU model on nodes with different models",
            "{domain: {devices: {}}}",
            world=(*_DIFFERENT, kubevirt()),
            violates=("domain",),
        ),
        Example(
            "host-model in the KubeVirt CR",
            "{domain: {devices: {}}}",
            world=(*_DIFFERENT, kubevirt(cpuModel="host-model")),
            violates=("domain",),
        ),
    ),
)
