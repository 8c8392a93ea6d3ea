"""
Knows which judgements depend on which lookups. This module does no I/O.

Lookups of all objects of a kind are asked for nearly every VM. They have no index: such a change is followed by a scan, which
costs much less than the judgements that follow.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from webhook.cluster.listed import OF_ONE_NAMESPACE
from webhook.cluster.lookups import Question


class Unit(NamedTuple):
    """
    The objects that are judged together: a VirtualMachine with its VMIs, or one other object.

    A VMI without a VirtualMachine is a unit of its own kind.
    """

    kind: str
    namespace: str
    name: str


class Dependencies:
    """The lookups of each unit, and an index from the lookups of single objects to units. Not thread-safe."""

    def __init__(self) -> None:
        self._questions: dict[Unit, tuple[Question, ...]] = {}
        self._units: dict[Question, Unit | set[Unit]] = {}
        self._lists: dict[Question, Question] = {}
        """One copy of each lookup without an index, because most units have the same ones."""

    def put(self, unit: Unit, asked: Iterable[Question]) -> None:
        """Replaces the lookups of a unit."""
        questions = tuple(self._own(unit, question) for question in asked)
        old = self._questions.get(unit, ())
        if old == questions:
            return
        self._questions[unit] = questions
        kept = set(questions)
        for question in old:
            if question not in kept and _is_indexed(question):
                self._unlink(question, unit)
        for question in questions:
            if _is_indexed(question):
                self._link(question, unit)

    def remove(self, unit: Unit) -> None:
        """Forgets a unit."""
        for question in self._questions.pop(unit, ()):
            if _is_indexed(question):
                self._unlink(question, unit)

    def on(self, questions: Collection[Question]) -> Iterator[Unit]:
        """Yields the units that depend on one of these lookups. A unit can be repeated."""
        for question in questions:
            if _is_indexed(question):
                found = self._units.get(question, ())
                yield from found if isinstance(found, set) else (found,) if isinstance(found, Unit) else ()
        lists = frozenset(question for question in questions if not _is_indexed(question) and question in self._lists)
        if lists:
            yield from (unit for unit, asked in self._questions.items() if not lists.isdisjoint(asked))

    def _own(self, unit: Unit, question: Question) -> Question:
        if question.name is None:
            if question.kind in OF_ONE_NAMESPACE:
                question = question._replace(namespace=unit.namespace)
            return self._lists.setdefault(question, question)
        return question

    def _link(self, question: Question, unit: Unit) -> None:
        found = self._units.get(question)
        if found is None:
            self._units[question] = unit
        elif isinstance(found, set):
            found.add(unit)
        elif found != unit:
            self._units[question] = {found, unit}

    def _unlink(self, question: Question, unit: Unit) -> None:
        found = self._units.get(question)
        if isinstance(found, set):
            found.discard(unit)
            if not found:
                del self._units[question]
        elif found == unit:
            del self._units[question]


def _is_indexed(question: Question) -> bool:
    return question.name is not None or bool(question.namespace)
