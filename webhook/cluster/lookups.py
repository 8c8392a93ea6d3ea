"""Which other objects a judgement asked for, and the same questions put to the API server itself."""

from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any, NamedTuple, TypeVar, cast

from webhook.cluster.messages import late, not_checked
from webhook.cluster.ports import LiveReader
from webhook.cluster.projection import METADATA_ONLY
from webhook.facts.unknown import Fact, Found, Late
from webhook.facts.world import World
from webhook.objects import vm, vmi
from webhook.objects.kinds import BY_CLASS
from webhook.objects.meta import Kubernetes

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


class RecordingWorld:
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


class LiveWorld:
    """
    The recorded lookups, made again past the store: each once, until ``until`` by ``clock``; after that all is Late.

    Objects that the recording was asked for by name are ``pending`` until ``read`` is called with their questions: a
    judgement before that finds them Unread. Lists keep the recorded answer where it was trusted, until ``read_lists``.
    Whatever a judgement asks beyond the recorded questions is read when it asks.
    """

    def __init__(
        self,
        recording: RecordingWorld,
        live: LiveReader,
        until: float,
        default_namespace: str = "",
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._recording = recording
        self._live = live
        self._until = until
        self._default = default_namespace
        self._clock = clock
        self._answers: dict[Question, Found[Any]] = {}
        self._kept: set[Question] = set()
        self._pending: set[Question] = set()
        self.is_late = False
        """Whether a lookup was not answered in time."""
        for question, answer in recording.answers.items():
            if question.name is not None:
                self._pending.add(self._normal(question))
            elif question.kind in NEVER_LISTED or recording.trusts(question.kind):
                self._answers[question] = answer
                self._kept.add(question)

    def read(self, questions: Iterable[Question]) -> None:
        """Reads these objects now."""
        for each in map(self._normal, questions):
            self._pending.discard(each)
            self._read(each)

    @property
    def is_complete(self) -> bool:
        """Whether nothing is pending."""
        return not self._pending

    def read_lists(self) -> bool:
        """
        Forgets the lists that were kept, so that they are read when they are asked for again; says whether there was any.

        Kinds that are never listed stay.
        """
        forgotten = {each for each in self._kept if each.kind not in NEVER_LISTED}
        self._kept -= forgotten
        for each in forgotten:
            del self._answers[each]
        return bool(forgotten)

    def find(self, kind: type[K], namespace: str, name: str) -> Found[K]:
        """The object as the API server had it when this was asked first; Unread while it is pending."""
        question = self._normal(Question(kind, namespace, name))
        if question in self._pending:
            return not_checked(kind, name)
        return cast("Found[K]", self._read(question))

    def every(self, kind: type[K]) -> Fact[tuple[K, ...]]:
        """All objects of a kind as the API server had them when this was asked first."""
        return cast("Fact[tuple[K, ...]]", self._read(Question(kind, "", None)))

    def answer(self, question: Question) -> Found[Any] | None:
        """The answer of the API server to a question, if it came in time."""
        found = self._answers.get(self._normal(question))
        return None if isinstance(found, Late) else found

    def _read(self, question: Question) -> Found[Any]:
        if question not in self._answers:
            left = self._until - self._clock()
            if question.name is None:
                found: Found[Any] = self._live.confirm_every(question.kind, left)
            else:
                found = self._live.confirm(question.kind, question.namespace, question.name, left)
            self._answers[question] = found
            self.is_late = self.is_late or isinstance(found, Late)
        return self._answers[question]

    def _normal(self, question: Question) -> Question:
        if question.name is None or (question.namespace and BY_CLASS[question.kind].namespaced):
            return question
        return question._replace(namespace=self._default if BY_CLASS[question.kind].namespaced else "")


class TimedOutWorld:
    """
    The world for a decision when no time is left: live answers that came, else recorded ones that were trusted.

    Everything else is Late.
    """

    def __init__(self, recording: RecordingWorld, confirmed: LiveWorld | None = None) -> None:
        self._recording = recording
        self._confirmed = confirmed

    def find(self, kind: type[K], namespace: str, name: str) -> Found[K]:
        """The object, if it is known without another read."""
        found = self._known(Question(kind, namespace, name))
        return late(kind, name) if found is None else cast("Found[K]", found)

    def every(self, kind: type[K]) -> Fact[tuple[K, ...]]:
        """All objects of a kind, if they are known without another read."""
        found = self._known(Question(kind, "", None))
        return late(kind) if found is None else cast("Fact[tuple[K, ...]]", found)

    def _known(self, question: Question) -> Found[Any] | None:
        live = self._confirmed.answer(question) if self._confirmed is not None else None
        if live is None and self._recording.trusts(question.kind):
            return self._recording.answers.get(question)
        return live
