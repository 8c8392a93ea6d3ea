"""With CPU model host-model, a VM cannot move from a node whose CPU model no other node supports."""

from collections.abc import Iterator

from webhook.facts.target import TargetFacts
from webhook.facts.unknown import Unknown
from webhook.kubevirt.launcher.host_model import follows_host_model, host_models
from webhook.objects.meta import Json
from webhook.rules.eviction._cpu_models import common_model, model_path
from webhook.rules.example import node
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Severity, Violation

_MOST = 3


def check(facts: TargetFacts) -> Iterator[Outcome]:
    if isinstance(facts.nodes, Unknown) or not follows_host_model(facts.vmi):
        return
    found = host_models(facts.vmi, facts.nodes)
    alone, nodes = found.alone, found.nodes
    if not alone or len(alone) == found.sources:
        return
    named = ", ".join(f"{node.name!r} ({node.traits.host_model})" for node in alone[:_MOST])
    more = f" and {len(alone) - _MOST} more" if len(alone) > _MOST else ""
    message = (
        f"the CPU model is host-model, and the VM cannot move from {len(alone)} of {len(nodes)} nodes, because no other node "
        f"supports their host model: {named}{more}"
    )
    yield Violation(model_path(facts.vmi), message, "host model of one node", common_model(nodes))


def _node(name: str, host: str, *others: str) -> Json:
    labels = {f"host-model-cpu.node.kubevirt.io/{host}": "true"}
    labels |= {f"cpu-model-migration.node.kubevirt.io/{model}": "true" for model in (host, *others)}
    return node(name, **labels)


def _with_os(of: Json) -> Json:
    metadata = of["metadata"]
    return of | {"metadata": metadata | {"labels": metadata["labels"] | {"kubernetes.io/os": "linux"}}}


_HOST_MODEL = "{domain: {devices: {}, cpu: {model: host-model}}}"
_NEWER, _OLDER = "Cascadelake-Server", "Skylake-Server-IBRS"
_OLD = (_node("n1", _OLDER), _node("n2", _OLDER))
_AT = ("domain.cpu.model",)
RULE = Rule(
    id="LM516",
    name="host-model-of-one-node",
    about=About.TARGET,
    severity=Severity.INFO,
    summary="Some nodes have a host CPU model that no other node supports.",
    rationale=(
        "With host-model, the target pod needs a node with the label cpu-model-migration.node.kubevirt.io/MODEL for the source "
        "node's model. If the VM runs on a node whose model no other node supports, its migration finds no target node. On "
        "other nodes, it can move."
    ),
    remediation="Set domain.cpu.model to a CPU model that the nodes have in their labels cpu-model.node.kubevirt.io/MODEL.",
    source="pkg/virt-controller/watch/migration/migration.go prepareNodeSelectorForHostCpuModel, v1.9.0",
    reference=MIGRATION_GUIDE,
    check=check,
    examples=(
        Example("nodes with the same model", _HOST_MODEL, world=_OLD),
        Example("two nodes of each model", _HOST_MODEL, world=(*_OLD, _node("n3", _NEWER), _node("n4", _NEWER))),
        Example("nodes with different models, which LM509 reports", _HOST_MODEL, world=(_OLD[0], _node("n2", _NEWER))),
        Example(
            "a named model",
            f"{{domain: {{devices: {{}}, cpu: {{model: {_OLDER}}}}}}}",
            world=(*_OLD, _node("n3", _NEWER)),
        ),
        Example(
            "a node that the VM does not select",
            "{domain: {devices: {}, cpu: {model: host-model}}, nodeSelector: {kubernetes.io/os: linux}}",
            world=(*(_with_os(one) for one in _OLD), _node("n3", _NEWER)),
        ),
        Example("one newer node among older nodes", _HOST_MODEL, world=(*_OLD, _node("n3", _NEWER)), violates=_AT),
        Example(
            "a newer node that supports the older model, but whose own model no node supports",
            _HOST_MODEL,
            world=(*_OLD, _node("n3", _NEWER, _OLDER)),
            violates=_AT,
        ),
        Example(
            "two single nodes with models of their own",
            _HOST_MODEL,
            world=(*_OLD, _node("n3", _NEWER), _node("n4", "EPYC-Rome")),
            violates=_AT,
        ),
    ),
)
