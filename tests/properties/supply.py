"""
Objects, clusters and policies in store, so that an example costs a draw from a list and not the making of a machine.

``MIGRATABLE_EXAMPLES`` says how many examples each property gets; the stores grow with it.
"""

import copy
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

import msgspec
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.generating import Manifest, carriers, kubevirts, migration_policies, networks, worlds
from tests.generating.accepting import acceptable
from webhook.facts.objects_world import ObjectsWorld
from webhook.facts.world import World
from webhook.kubevirt.releases import KNOWN, NEWEST, OLDEST_SUPPORTED, SUPPORTED, only
from webhook.objects.kinds import KINDS, find_kind
from webhook.objects.meta import Kubernetes
from webhook.objects.review import AdmissionRequest, GroupVersionKind, UserInfo
from webhook.policy.policy import Action, Exemption, NamespacePolicy, Policy, Profile
from webhook.rules.register import RULES
from webhook.surfaces.admission.requests import DecodedRequest
from webhook.surfaces.admission.validate import JudgingContext, Outcome, decide_request

T = TypeVar("T")

EXAMPLES = int(os.environ.get("MIGRATABLE_EXAMPLES", "2000"))
TODAY = "2026-06-01"
PROPERTY = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=EXAMPLES <= 2000,
    suppress_health_check=list(HealthCheck),
)
"""The same examples on every run of ``make test``; other ones each time where more are asked for."""
EVERY_KIND = tuple(kind.reads for kind in KINDS)
RELEASES = st.sampled_from((SUPPORTED, KNOWN, only(NEWEST), only(OLDEST_SUPPORTED)))


def stored(strategy: st.SearchStrategy[T], count: int) -> tuple[T, ...]:
    """Some values of a strategy."""
    drawn: list[T] = []

    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        derandomize=EXAMPLES <= 2000,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(value: T) -> None:
        drawn.append(value)

    collect()
    return tuple(drawn)


def _count(usual: int) -> int:
    return usual * max(1, EXAMPLES // 10_000)


def read(manifest: Manifest) -> Kubernetes:
    """An object as the door reads it."""
    kind = find_kind(manifest["apiVersion"], manifest["kind"])
    assert kind is not None
    return msgspec.convert(manifest, kind.reads)


@dataclass(frozen=True)
class Around:
    """A cluster."""

    manifests: tuple[Manifest, ...]
    objects: tuple[Kubernetes, ...] = field(repr=False)

    def world(self, complete: bool = True) -> World:
        """The objects that can be looked up in it."""
        return ObjectsWorld(self.objects, EVERY_KIND if complete else ())


def _machine_of(manifest: Manifest) -> Manifest:
    spec: Manifest = manifest["spec"]
    return spec["virtualMachineTemplate"]["spec"] if manifest["kind"] == "VirtualMachinePool" else spec


def without_references(manifest: Manifest) -> Manifest:
    """A copy that takes nothing from an instancetype or a preference."""
    made = copy.deepcopy(manifest)
    for referent in ("instancetype", "preference"):
        _machine_of(made).pop(referent, None)
    return made


@cache
def _machines() -> tuple[Manifest, ...]:
    return tuple(acceptable(carrier) for carrier in stored(carriers(), _count(250)))


def every_machine() -> tuple[Manifest, ...]:
    """All stored objects that carry a VMI. Copy before changing one."""
    return _machines()


@cache
def _settings() -> tuple[Manifest, ...]:
    return stored(st.one_of(kubevirts(), migration_policies(), networks()), _count(120))


@cache
def _clusters() -> tuple[Around, ...]:
    return tuple(Around(tuple(objects), tuple(map(read, objects))) for objects in stored(worlds(), _count(120)))


def machines(*, updated: bool = False) -> st.SearchStrategy[Manifest]:
    """Objects that carry a VMI; with ``updated`` those whose updates are judged at all. Copy before changing one."""
    return st.deferred(
        lambda: st.sampled_from(
            [_machine for _machine in _machines() if not updated or _machine["kind"] != "VirtualMachineInstance"]
        )
    )


def anything() -> st.SearchStrategy[Manifest]:
    """Any object that is judged."""
    return st.one_of(machines(), machines(), st.deferred(lambda: st.sampled_from(_settings())))


def clusters() -> st.SearchStrategy[Around]:
    """Clusters."""
    return st.deferred(lambda: st.sampled_from(_clusters()))


NAMES = [name for rule in RULES for name in (rule.id, rule.name)]
_EXEMPTIONS = st.builds(
    Exemption,
    rule=st.sampled_from(NAMES),
    reason=st.just("tested"),
    owner=st.just("storage"),
    until=st.sampled_from(("2020-01-01", TODAY, "2099-01-01")),
    namespace=st.sampled_from((None, "tenant", "neighbour")),
    name=st.sampled_from((None, "vm", "other")),
)
_ANY_ACTIONS = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(Action), max_size=6)
_ACTIONS = st.one_of(_ANY_ACTIONS, _ANY_ACTIONS.map(lambda drawn: {**drawn, "LM105": Action.DENY}))
"""LM105 is the rule that reads metadata of a VirtualMachine, which changes without a request to the webhook."""
_POLICIES = st.builds(
    Policy,
    profile=st.sampled_from(Profile),
    actions=_ACTIONS,
    unproven=st.sampled_from((Action.WARN, Action.DENY, Action.AUDIT)),
    honour_eviction_strategy=st.booleans(),
    namespaces=st.lists(
        st.builds(NamespacePolicy, names=st.just(["tenant"]), actions=_ACTIONS, unproven=st.sampled_from(Action)),
        max_size=1,
    ),
    exemptions=st.lists(_EXEMPTIONS, max_size=2),
)


@cache
def _policies() -> tuple[Policy, ...]:
    plain = (Policy(), Policy(profile=Profile.EXACT), Policy(unproven=Action.DENY))
    return (*plain, *stored(_POLICIES, _count(60)))


def policies() -> st.SearchStrategy[Policy]:
    """Policies; the built-in ones come first."""
    return st.deferred(lambda: st.sampled_from(_policies()))


@dataclass(frozen=True)
class Terms:
    """In what is judged."""

    around: Around
    complete: bool
    policy: Policy
    releases: int

    def context(self) -> JudgingContext:
        """As the door has it."""
        return JudgingContext(self.around.world(self.complete), self.releases, self.policy, TODAY, "kubevirt")


def terms(policy: st.SearchStrategy[Policy] | None = None) -> st.SearchStrategy[Terms]:
    """Any of them."""
    return st.builds(Terms, clusters(), st.booleans(), policy or policies(), RELEASES)


def asked(new: Manifest, old: Manifest | None = None, user: str = "jane") -> DecodedRequest:
    """A request, read."""
    group, _, version = new["apiVersion"].rpartition("/")
    meta = new["metadata"]
    kind = find_kind(new["apiVersion"], new["kind"])
    request = AdmissionRequest(
        "uid",
        GroupVersionKind(group, version, new["kind"]),
        name=meta.get("name", ""),
        namespace=meta.get("namespace", ""),
        operation="CREATE" if old is None else "UPDATE",
        user_info=UserInfo(user),
    )
    return DecodedRequest(request, kind, read(new), read(old) if old is not None else None)


def update(old: Manifest, new: Manifest, context: JudgingContext, user: str = "jane") -> Outcome:
    """The outcome of an update."""
    return decide_request(asked(new, old, user), context)


def create(new: Manifest, context: JudgingContext, user: str = "jane") -> Outcome:
    """The outcome of a create."""
    return decide_request(asked(new, user=user), context)


def denials(outcome: Outcome) -> set[tuple[str, str]]:
    """Identities of what is denied."""
    return identities(outcome, Action.DENY)


def identities(outcome: Outcome, *actions: Action) -> set[tuple[str, str]]:
    """Identities of the findings of which this is done."""
    return {decision.finding.identity for decision in outcome.decisions if decision.action in actions}


def fields(causes: Iterable[Any]) -> list[str]:
    """Of causes."""
    return [cause.field for cause in causes]
