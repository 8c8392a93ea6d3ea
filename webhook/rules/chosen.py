"""
Rules that the engine chooses by the features of an object.

Most VMs have few features. So a rule is imported when an object has a feature that the rule needs, because the import of a rule
takes longer than its check. A process that runs for long imports ``webhook.rules.register`` when it starts, which imports all
rules.
"""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Final

from webhook.facts.features import Features
from webhook.rules.rule import Rule

_ALL: Final[Features] = -1
_MOST_CHOICES: Final = 4096


class ChosenRules:
    """Rules about one subject, in the order of their findings."""

    def __init__(self, needs: Mapping[str, Features]) -> None:
        self.needs = needs
        """
        The module of each rule below ``webhook.rules``, and the features that the rule needs. An object without any of these
        features has no outcome of the rule.
        """
        self._choices: dict[Features, tuple[Rule, ...]] = {}

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.for_features(_ALL))

    def for_features(self, features: Features) -> tuple[Rule, ...]:
        """The rules that can have an outcome for an object with these features."""
        choice = self._choices.get(features)
        if choice is None:
            if len(self._choices) >= _MOST_CHOICES:
                self._choices.clear()
            choice = tuple(rule_of(module) for module, needed in self.needs.items() if needed & features)
            self._choices[features] = choice
        return choice


def rule_of(module: str) -> Rule:
    """Imports the rule of a module below ``webhook.rules``."""
    rule: Rule = import_module(f"webhook.rules.{module}").RULE
    return rule
