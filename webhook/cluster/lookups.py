"""Records the lookups of a judgement in the cache, and repeats them at the API server."""

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
"""Kinds that can have too many objects to list within a deadline. Lookups of these kinds use the stored objects."""


class Question(NamedTuple):
    """A lookup of one object. If ``name`` is None, a lookup of all objects of a kind."""

    kind: type[Kubernetes]
    namespace: str
    name: str | None


def _nothing_is_trusted(_: type[Kubernetes]) -> bool:
    return False


class RecordingWorld:
    """
    Passes lookups to another world, and records each lookup with its first result.

    ``trusted`` returns whether the results for a kind suffice to allow a request.
    """

    def __init__(self, world: World, trusted: Callable[[type[Kubernetes]], bool] = _nothing_is_trusted) -> None:
        self._world = world
        self._trusted = trusted
        self._answers: dict[tuple[type[Kubernetes], str, str | None], Any] = {}
        """Plain tuples, because a judgement makes a named tuple for each lookup in more time than it looks up an object."""
        self._untrusted: set[type[Kubernetes]] = set()
        self.named = False
        """Whether an object was looked up by name."""

    @property
    def answers(self) -> dict[Question, Found[Any]]:
        """All recorded lookups with their results, in order."""
        return {Question(*lookup): answer for lookup, answer in self._answers.items()}

    def answer(self, question: Question) -> Found[Any] | None:
        """The recorded result of a lookup, or None if the lookup was not recorded."""
        return self._answers.get(question)

    def objects(self) -> list[tuple[Question, Found[Any]]]:
        """The recorded lookups of single objects with their results, in order."""
        return [(Question(*lookup), answer) for lookup, answer in self._answers.items() if lookup[2] is not None]

    @property
    def untrusted(self) -> bool:
        """Whether a recorded result has a kind that is not watched, not listed yet, or stale."""
        return bool(self._untrusted)

    def for_advice(self) -> World:
        """Returns the stored objects. Lookups for advice are not recorded, so they cause no read and no delay."""
        return self._world

    def trusts(self, kind: type[Kubernetes]) -> bool:
        """Whether all results for a kind suffice to allow a request."""
        return kind not in self._untrusted

    def find(self, kind: type[K], namespace: str, name: str) -> Found[K]:
        """Returns the result of the first lookup of this object."""
        self.named = True
        lookup = (kind, namespace, name)
        known: Found[K] | None = self._answers.get(lookup)
        if known is None:
            known = self._world.find(kind, namespace, name)
            if not self._trusted(kind):
                self._untrusted.add(kind)
            self._answers[lookup] = known
        return known

    def every(self, kind: type[K]) -> Fact[tuple[K, ...]]:
        """Returns the result of the first lookup of these objects."""
        lookup = (kind, "", None)
        known: Fact[tuple[K, ...]] | None = self._answers.get(lookup)
        if known is None:
            known = self._world.every(kind)
            if not self._trusted(kind):
                self._untrusted.add(kind)
            self._answers[lookup] = known
        return known


class LiveWorld:
    """
    Repeats each recorded lookup once at the API server. After ``until`` on ``clock``, every result is Late.

    Objects that were recorded by name are Unread until ``read`` is called for them. Trusted lists keep the recorded result
    until ``read_lists`` is called. Lookups that were not recorded are read when a judgement needs them.
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
        """Whether a lookup got no response in time."""
        for question, answer in recording.answers.items():
            if question.name is not None:
                self._pending.add(self._normal(question))
            elif question.kind in NEVER_LISTED or recording.trusts(question.kind):
                self._answers[question] = answer
                self._kept.add(question)

    def read(self, questions: Iterable[Question]) -> None:
        """Read these objects now."""
        for question in map(self._normal, questions):
            self._pending.discard(question)
            self._read(question)

    @property
    def is_complete(self) -> bool:
        """Whether all recorded objects have been read."""
        return not self._pending

    def read_lists(self) -> bool:
        """
        Drop the recorded lists, so that the next lookup reads each list from the API server. Returns whether a list was
        dropped.

        Lists of the kinds in ``NEVER_LISTED`` stay.
        """
        dropped = {question for question in self._kept if question.kind not in NEVER_LISTED}
        self._kept -= dropped
        for question in dropped:
            del self._answers[question]
        return bool(dropped)

    def find(self, kind: type[K], namespace: str, name: str) -> Found[K]:
        """Returns the object as the API server returned it at the first lookup. Returns Unread while that read is pending."""
        question = self._normal(Question(kind, namespace, name))
        if question in self._pending:
            return not_checked(kind, name)
        return cast("Found[K]", self._read(question))

    def every(self, kind: type[K]) -> Fact[tuple[K, ...]]:
        """Returns all objects of a kind as the API server returned them at the first lookup."""
        return cast("Fact[tuple[K, ...]]", self._read(Question(kind, "", None)))

    def for_advice(self) -> World:
        """Returns the objects that were read so far, over the stored objects. Lookups for advice cause no read."""
        return KnownWorld(self.answer, self._recording.for_advice())

    def answer(self, question: Question) -> Found[Any] | None:
        """Returns the result from the API server, or None if it did not arrive in time."""
        result = self._answers.get(self._normal(question))
        return None if isinstance(result, Late) else result

    def _read(self, question: Question) -> Found[Any]:
        if question not in self._answers:
            left = self._until - self._clock()
            if question.name is None:
                result: Found[Any] = self._live.confirm_every(question.kind, left)
            else:
                result = self._live.confirm(question.kind, question.namespace, question.name, left)
            self._answers[question] = result
            self.is_late = self.is_late or isinstance(result, Late)
        return self._answers[question]

    def _normal(self, question: Question) -> Question:
        if question.name is None or (question.namespace and BY_CLASS[question.kind].namespaced):
            return question
        return question._replace(namespace=self._default if BY_CLASS[question.kind].namespaced else "")


class KnownWorld:
    """The results that are known already, over another world. ``known`` returns None for a result that is not known."""

    def __init__(self, known: Callable[[Question], Found[Any] | None], world: World) -> None:
        self._known = known
        self._world = world

    def find(self, kind: type[K], namespace: str, name: str) -> Found[K]:
        """Returns the known object, or the object in the other world."""
        result = self._known(Question(kind, namespace, name))
        return self._world.find(kind, namespace, name) if result is None else cast("Found[K]", result)

    def every(self, kind: type[K]) -> Fact[tuple[K, ...]]:
        """Returns the known list, or the list in the other world."""
        result = self._known(Question(kind, "", None))
        return self._world.every(kind) if result is None else cast("Fact[tuple[K, ...]]", result)


class TimedOutWorld:
    """
    The world for a decision when no time is left.

    A lookup returns the live result if it arrived, otherwise the recorded result if it is trusted, otherwise Late.
    """

    def __init__(self, recording: RecordingWorld, confirmed: LiveWorld | None = None) -> None:
        self._recording = recording
        self._confirmed = confirmed

    def find(self, kind: type[K], namespace: str, name: str) -> Found[K]:
        """Returns the object, or Late if a further read is needed."""
        result = self._known(Question(kind, namespace, name))
        return late(kind, name) if result is None else cast("Found[K]", result)

    def every(self, kind: type[K]) -> Fact[tuple[K, ...]]:
        """Returns all objects of a kind, or Late if a further read is needed."""
        result = self._known(Question(kind, "", None))
        return late(kind) if result is None else cast("Fact[tuple[K, ...]]", result)

    def for_advice(self) -> World:
        """Returns the results that are known, over the stored objects."""
        return KnownWorld(self._known, self._recording.for_advice())

    def _known(self, question: Question) -> Found[Any] | None:
        live = self._confirmed.answer(question) if self._confirmed is not None else None
        if live is None and self._recording.trusts(question.kind):
            return self._recording.answer(question)
        return live
