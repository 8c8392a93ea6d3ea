"""Click types whose values shells complete: ids and names of rules, and words that the commands check themselves."""

from collections.abc import Sequence

import click
from click.shell_completion import CompletionItem


class RuleName(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.4 on only
    """The id or name of a rule. The commands themselves report unknown rules."""

    name = "rule"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Ids and names that start with ``incomplete``, each with the summary of the rule."""
        from webhook.rules.register import RULES

        before, comma, last = incomplete.rpartition(",")
        wanted = last.lower()
        return [
            CompletionItem(f"{before}{comma}{word}", help=rule.summary)
            for rule in RULES
            for word in (rule.id, rule.name)
            if word.lower().startswith(wanted)
        ]


class Suggested(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.4 on only
    """A text parameter. Shells suggest words for its value."""

    name = "text"

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The words that start with ``incomplete``."""
        return [CompletionItem(word) for word in self._words if word.startswith(incomplete)]


RULE_NAME = RuleName()
