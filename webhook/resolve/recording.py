"""Which other objects a judgement asked for, and the same questions put to the API server itself."""

from collections.abc import Callable
from time import monotonic
from typing import Any, NamedTuple, TypeVar, cast

from webhook.facts.unknown import Fact, Found
from webhook.facts.world import World
from webhook.objects import vm, vmi
from webhook.objects.kinds import BY_CLASS
from webhook.objects.meta import Kubernetes
from webhook.resolve.ports import LiveReader
from webhook.resolve.projection import METADATA_ONLY

K = TypeVar("K", bound=Kubernetes)

NEVER_LISTED: frozenset[type[Kubernetes]] = METADATA_ONLY | {
    vm.VirtualMachine,
    vm.VirtualMachineInstanceReplicaSet,
    vm.VirtualMachinePool,
    vmi.VirtualMachineInstance,
}
"""Thousands of these cannot be listed within a deadline, and machines may not be: what the store says of them stays."""


class Question(NamedTuple):
    """A lookup: of one object, or of all of a kind where ``name`` is None."""

    kind: type[Kubernetes]
    namespace: str
    name: str | None


def _nothing_is_trusted(_: type[Kubernetes]) -> bool:
    return False


class Recording:
    """
    Passes lookups on to a world and notes each question with the answer that came first.

    ``trusted`` says of a kind whether the world's answers about it were good enough to allow on.
    """

    def __init__(self, world: World, trusted: Callable[[type[Kubernetes]], bool] = _nothing_is_trusted) -> None:
        self._world = world
        self._trusted = trusted
        self._answers: dict[Question, Found[Any]] = {}
        self._untrusted: set[type[Kubernetes]] = set()
        self.named = False
        """Whether an object was asked for by its name."""

    @property
    def answers(self) -> dict[Question, Found[Any]]:
        """Each question with its answer, in the order in which they came."""
        return dict(self._answers)

    @property
    def untrusted(self) -> bool:
        """Whether an answer came from what is not watched, not listed yet, or not fresh."""
        return bool(self._untrusted)

    def trusts(self, kind: type[Kubernetes]) -> bool:
        """Whether all answers about a kind were good enough to allow on."""
        return kind not in self._untrusted

    def find(self, kind: type[K], namespace: str, name: str) -> Found[K]:
        """What the world found when it was asked first."""
        self.named = True
        question = Question(kind, namespace, name)
        if question not in self._answers:
            self._note(question, self._world.find(kind, namespace, name))
        return cast("Found[K]", self._answers[question])

    def every(self, kind: type[K]) -> Fact[tuple[K, ...]]:
        """What the world gave when it was asked first."""
        question = Question(kind, "", None)
        if question not in self._answers:
            self._note(question, self._world.every(kind))
        return cast("Fact[tuple[K, ...]]", self._answers[question])

    def _note(self, question: Question, answer: Found[Any]) -> None:
        if not self._trusted(question.kind):
            self._untrusted.add(question.kind)
        self._answers[question] = answer


def confirmed_world(
    recording: Recording,
    live: LiveReader,
    deadline_seconds: float,
    *,
    default_namespace: str = "",
    clock: Callable[[], float] = monotonic,
) -> "ConfirmedWorld":
    """
    A world that has read live, here and now, all objects that the recording was asked for by name.

    Lists keep the recorded answer where it was trusted, until ``read_lists``. What a second judgement asks beyond the
    recorded questions is read when it asks.
    """
    world = ConfirmedWorld(live, clock() + deadline_seconds, default_namespace, clock)
    for question, answer in recording.answers.items():
        if question.name is not None:
            world.find(question.kind, question.namespace, question.name)
        elif question.kind in NEVER_LISTED or recording.trusts(question.kind):
            world.keep(question, answer)
        else:
            world.every(question.kind)
    return world


class ConfirmedWorld:
    """Reads everything live, each thing once, until ``until`` by ``clock``; after that all is Unknown."""

    def __init__(
        self, live: LiveReader, until: float, default_namespace: str = "", clock: Callable[[], float] = monotonic
    ) -> None:
        self._live = live
        self._until = until
        self._default = default_namespace
        self._clock = clock
        self._answers: dict[Question, Found[Any]] = {}
        self._kept: set[Question] = set()

    def keep(self, question: Question, answer: Found[Any]) -> None:
        """Takes an answer as confirmed, until ``read_lists``."""
        self._answers[question] = answer
        self._kept.add(question)

    def read_lists(self) -> bool:
        """
        Forgets what was kept and not read, so that it is read when it is asked again; says whether there was any.

        What is never listed stays.
        """
        forgotten = {each for each in self._kept if each.kind not in NEVER_LISTED}
        self._kept -= forgotten
        for each in forgotten:
            del self._answers[each]
        return bool(forgotten)

    def find(self, kind: type[K], namespace: str, name: str) -> Found[K]:
        """The object as the API server had it when this was asked first."""
        space = (namespace or self._default) if BY_CLASS[kind].namespaced else ""
        question = Question(kind, space, name)
        if question not in self._answers:
            self._answers[question] = self._live.confirm(kind, space, name, self._until - self._clock())
        return cast("Found[K]", self._answers[question])

    def every(self, kind: type[K]) -> Fact[tuple[K, ...]]:
        """All objects of a kind as the API server had them when this was asked first."""
        question = Question(kind, "", None)
        if question not in self._answers:
            self._answers[question] = self._live.confirm_every(kind, self._until - self._clock())
        return cast("Fact[tuple[K, ...]]", self._answers[question])
