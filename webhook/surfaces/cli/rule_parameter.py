"""The click type of rules: shells complete their ids and names."""

import click
from click.shell_completion import CompletionItem


class RuleName(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.4 on only
    """The id or name of a rule. The commands themselves report unknown rules."""

    name = "rule"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Ids and names that start with ``incomplete``, each with the summary of the rule."""
        from webhook.rules.register import RULES

        wanted = incomplete.lower()
        return [
            CompletionItem(word, help=rule.summary)
            for rule in RULES
            for word in (rule.id, rule.name)
            if word.lower().startswith(wanted)
        ]


RULE_NAME = RuleName()
