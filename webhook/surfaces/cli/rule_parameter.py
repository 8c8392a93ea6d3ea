"""Click types whose values shells complete: ids and names of rules, and words that the commands check themselves."""

from collections.abc import Callable, Sequence

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


class RuleOrVM(RuleName):
    """The id or name of a rule, or ``vm/NAME``."""

    name = "rule or VM"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """As for rules, and the VMs in the files of ``--facts``."""
        rules = super().shell_complete(ctx, param, incomplete)
        facts = (*(ctx.params.get("facts") or ()), *filter(None, [ctx.params.get("snapshot")]))
        names = [f"{VM}{namespace}/{name}" for namespace, name in _vms_in(facts)] if facts else [VM]
        return [*rules, *(CompletionItem(name, help="a VM") for name in names if name.startswith(incomplete))]


class Suggested(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.4 on only
    """A text parameter. Shells suggest words for its value."""

    name = "text"

    def __init__(self, words: Callable[[], Sequence[str]]) -> None:
        self._words = words

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The words that start with ``incomplete``."""
        return [CompletionItem(word) for word in self._words() if word.startswith(incomplete)]


def named_vm(word: str) -> tuple[str, str] | None:
    """The namespace (which can be empty) and name in ``vm/NAME`` or ``vm/NAMESPACE/NAME``, or None for a rule."""
    kind, slash, rest = word.partition("/")
    if not slash or kind.lower() not in _KINDS:
        return None
    namespace, _, name = rest.rpartition("/")
    if not name or "/" in namespace:
        raise click.UsageError(f"{word!r} names no VM. Write vm/NAME or vm/NAMESPACE/NAME.")
    return namespace, name


def _vms_in(paths: Sequence[str]) -> list[tuple[str, str]]:
    """The namespaces and names of the VMs in files, sorted."""
    from webhook.manifests.fleet_paths import read_paths
    from webhook.objects.running import RunningVMI
    from webhook.objects.vm import VirtualMachine

    objects = read_paths(paths).objects
    return sorted({*objects.get(VirtualMachine, ()), *objects.get(RunningVMI, ())})


VM = "vm/"
_PLURALS = ("vms", "vmis", "virtualmachines", "virtualmachineinstances")
_PLURALS = ("vms", "vmis", "virtualmachines", "virtualmachineinstances")
_KINDS = frozenset((*_PLURALS, *(plural[:-1] for plural in _PLURALS)))
RULE_NAME = RuleName()
RULE_OR_VM = RuleOrVM()
