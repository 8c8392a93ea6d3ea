"""
The rehearsal of generated drains beside a real kube-scheduler, which gets all target pods in several orders.

A VM that moves has to get a node in every order, at the latest when the others have moved. A VM that fits no node has to stay
pending in every order. One that may not fit has to be pending in at least one order when kube-scheduler first tries it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

import msgspec

from tests.apiserver.scheduler.clusters import Bench, Manifest
from tests.apiserver.scheduler.creations import Creation, Creations, Key
from tests.apiserver.scheduler.generated.drains import Drain, drain, preferring
from tests.apiserver.scheduler.generated.draws import Draw
from tests.apiserver.scheduler.process import EVEN, PACKED, PREFERRED
from webhook.drain.inputs import Inputs
from webhook.drain.plan import Detail, Machine, Outcome
from webhook.drain.rehearsal import Request, rehearse
from webhook.drain.targets import Targets
from webhook.facts.fleet import Fleet
from webhook.manifests.fleet_files import read_fleet
from webhook.objects.pods import Pod

Said = Literal["fits", "may not fit", "fits no node", "unknown"]
Problem = Literal["wrong fit", "missed fit", "fits in every order"]

VICTIMS: Final = 3
"""The number of fitting pods of a drain from which the others take the nodes, each in one order."""
MOST_TRIES: Final = 96
"""The maximum number of orders in which a pod that may not fit is expected to stay pending."""
KINDS: Final = ("Namespace", "Node", "Pod", "PersistentVolume", "PersistentVolumeClaim", "StorageClass", "CSINode")
CORE: Final = "v1"


class Answered(msgspec.Struct):
    """What the rehearsal says about one VM, and the numbers of orders in which its target pod was bound and pending."""

    key: Key
    said: Said
    nodes: list[str]
    message: str
    bound: int = 0
    pending: int = 0
    waited: int = 0
    """The number of orders in which it was pending until others had moved."""

    @property
    def problem(self) -> Problem | None:
        """The difference between the two."""
        if self.said == "fits" and self.pending:
            return "wrong fit"
        if self.said == "fits no node" and self.bound:
            return "missed fit"
        if self.said == "may not fit" and not self.waited:
            return "fits in every order"
        return None


class Difference(msgspec.Struct, frozen=True):
    """A drain in which the answers about a VM differ, with the last order that shows it."""

    seed: int
    problem: Problem
    answered: Answered
    order: list[str]
    scheduler: str
    keeps_sources: bool


class Figures(msgspec.Struct):
    """The numbers of drains, orders and VMs."""

    drains: int = 0
    orders: int = 0
    machines: Counter[str] = msgspec.field(default_factory=Counter)
    """The VMs by what the rehearsal says."""
    confirmed: Counter[str] = msgspec.field(default_factory=Counter)
    """The VMs without a difference."""

    def text(self) -> str:
        """The figures, one a line."""
        lines = [f"drains {self.drains}, orders of creation {self.orders}, VMs {self.machines.total()}"]
        lines += [f"{said}: {self.confirmed[said]} of {count} confirmed" for said, count in self.machines.most_common()]
        return "\n".join(lines)


class _Trial(msgspec.Struct, frozen=True):
    order: Sequence[Creation]
    scheduler: str
    keeps_sources: bool


def run(opened: Bench, drains: int, seed: int, figures: Figures) -> Iterator[Difference]:
    """Compares this number of drains, from the one of SEED on, and yields the differences."""
    for number in range(seed, seed + drains):
        yield from _compare(opened, number, figures)


def _compare(opened: Bench, seed: int, figures: Figures) -> Iterator[Difference]:
    made = drain(seed)
    cluster = opened.load(made.objects)
    if cluster.refused:
        raise ValueError(f"the API server refuses an object of drain {seed}: {cluster.refused[0]}")
    answers, creations = rehearsed(made, cluster.stored)
    figures.drains += 1
    figures.machines.update(answered.said for answered in answers.values())
    shown: dict[Key, _Trial] = {}
    binding = Creations(opened, cluster.stored)
    for trial in _trials(Draw(seed), answers, creations):
        figures.orders += 1
        end = binding.bind(trial.order, trial.scheduler, keeps_sources=trial.keeps_sources)
        for key, node in end.nodes.items():
            answered = answers[key]
            answered.waited += key in end.waited
            answered.bound += bool(node)
            answered.pending += not node
            if answered.problem is not None and (bool(node) is (answered.said != "fits")):
                shown[key] = trial
    for answered in answers.values():
        if (problem := answered.problem) is None or answered.key not in shown:
            figures.confirmed[answered.said] += 1
            continue
        trial = shown[answered.key]
        order = ["/".join(one.key) for one in trial.order]
        yield Difference(seed, problem, answered, order, trial.scheduler, trial.keeps_sources)


def rehearsed(made: Drain, stored: Sequence[Manifest]) -> tuple[dict[Key, Answered], list[Creation]]:
    """What the rehearsal says about each VM that is to move, and the pods to create."""
    fleet = _fleet(made, stored)
    report = rehearse(fleet, Request(made.nodes))
    inputs = Inputs(fleet)
    targets = Targets(inputs)
    pods = {(pod.namespace, pod.meta.labels["vmi.kubevirt.io/id"]): pod for pod in inputs.pods if _is_launcher(pod)}
    written = {(item["metadata"].get("namespace"), item["metadata"]["name"]): item for item in made.objects}
    answers: dict[Key, Answered] = {}
    creations: list[Creation] = []
    for plan in report.nodes:
        for machine in plan.machines:
            key = (machine.namespace, machine.name)
            answers[key] = Answered(key, _said(machine), list(machine.nodes), machine.message)
            launcher = pods[key]
            target = targets.target(key, launcher, plan.name)
            if isinstance(target, Pod):
                creations.append(Creation(key, _manifest(target), written[launcher.namespace, launcher.name]))
    return answers, creations


def _is_launcher(pod: Pod) -> bool:
    return (pod.meta.labels or {}).get("kubevirt.io") == "virt-launcher"


def _said(machine: Machine) -> Said:
    if machine.outcome is Outcome.MOVES or machine.detail is Detail.STARVED:
        return "fits"
    if machine.detail is Detail.NO_NODE:
        return "fits no node"
    return "may not fit" if machine.detail is Detail.MAY_NOT_FIT else "unknown"


def _trials(draw: Draw, answers: Mapping[Key, Answered], creations: Sequence[Creation]) -> Iterator[_Trial]:
    """The orders. Those that take the nodes of a pod which may not fit end when it was pending."""
    yield _Trial(creations, EVEN, keeps_sources=True)
    yield _Trial(creations[::-1], PACKED, keeps_sources=False)
    yield _Trial(_shuffled(draw, creations), PREFERRED, keeps_sources=True)
    yield _Trial(_shuffled(draw, creations), EVEN, keeps_sources=False)
    fitting = [one for one in creations if answers[one.key].said == "fits"]
    for victim in draw.some(fitting, 0, VICTIMS):
        yield _against(draw, victim, answers, creations)
    for victim in creations:
        if answers[victim.key].said == "may not fit":
            for _ in range(MOST_TRIES):
                if answers[victim.key].waited:
                    break
                yield _against(draw, victim, answers, creations)


def _against(draw: Draw, victim: Creation, answers: Mapping[Key, Answered], creations: Sequence[Creation]) -> _Trial:
    """An order in which all other pods come first, and prefer the nodes of one pod. Without a node, that pod is the first."""
    if not answers[victim.key].nodes:
        return _Trial(
            [victim, *_shuffled(draw, [one for one in creations if one is not victim])], EVEN, keeps_sources=True
        )
    others = []
    for one in _shuffled(draw, [one for one in creations if one is not victim]):
        nodes = answers[victim.key].nodes
        wanted = draw.sample(nodes, len(nodes))
        others.append(msgspec.structs.replace(one, target=preferring(one.target, wanted)))
    return _Trial([*others, victim], PREFERRED, keeps_sources=draw.chance(0.7))


def _shuffled(draw: Draw, creations: Sequence[Creation]) -> list[Creation]:
    return draw.sample(creations, len(creations))


def _fleet(made: Drain, stored: Sequence[Manifest]) -> Fleet:
    """The cluster of a drain, of which the rehearsal knows all objects. The drained nodes are not cordoned yet."""
    files = [("kubevirt.json", _list("List", CORE, made.kubevirt))]
    for kind in KINDS:
        items = [_uncordoned(item) if _name(item) in made.nodes else item for item in stored if item["kind"] == kind]
        group = "storage.k8s.io/v1" if kind in {"StorageClass", "CSINode"} else CORE
        files.append((f"{kind}.json", _list(f"{kind}List", group, items)))
    read = read_fleet(files)
    if read.problems:
        raise ValueError(str(read.problems[0]))
    return read.fleet()


def _list(kind: str, api_version: str, items: Sequence[Manifest]) -> bytes:
    return msgspec.json.encode({"apiVersion": api_version, "kind": kind, "metadata": {}, "items": items})


def _name(item: Manifest) -> str:
    name: str = item["metadata"]["name"]
    return name


def _uncordoned(item: Manifest) -> Manifest:
    return {**item, "spec": {key: value for key, value in item["spec"].items() if key != "unschedulable"}}


def _manifest(target: Pod) -> Manifest:
    """The target pod as virt-controller creates it."""
    made = msgspec.convert(_without_empty(msgspec.to_builtins(target)), Manifest)
    made["metadata"] = {
        "name": f"virt-launcher-{made['metadata']['name'].partition(' ')[0]}-target",
        "namespace": target.namespace,
        "labels": target.meta.labels or {},
    }
    made |= {"apiVersion": "v1", "kind": "Pod"}
    made.pop("status", None)
    for container in (*made["spec"]["containers"], *made["spec"].get("initContainers", ())):
        container["image"] = "none"
    return made


def _without_empty(value: object) -> object:
    """Without the fields that are not set. An empty selector or term keeps its meaning."""
    match value:
        case dict():
            return {key: _without_empty(member) for key, member in value.items() if member is not None and member != ""}
        case list():
            return [_without_empty(item) for item in value]
    return value
