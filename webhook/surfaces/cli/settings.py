"""What ``migratable check`` works by: command line over configuration file over default, with the origin of each value."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from webhook.policy.policy import Action, Exemption, Policy, Profile, rule_ids
from webhook.surfaces.cli.configuration import Config, Found
from webhook.surfaces.cli.status import Misused

if TYPE_CHECKING:
    from pathlib import Path

COMMAND_LINE = "command line"
DEFAULT = "default"


class Flags(msgspec.Struct, frozen=True):
    """What stood on the command line; None and empty where nothing did."""

    policy: str | None = None
    profile: str | None = None
    release: str | None = None
    fail_on: str | None = None
    strict: bool | None = None
    require_match: bool | None = None
    facts: Sequence[str] = ()
    snapshot: str | None = None
    baseline: str | None = None
    ignore: Sequence[str] = ()
    only: Sequence[str] = ()
    skip: Sequence[str] = ()
    rules: Sequence[str] = ()


class Settled(msgspec.Struct, frozen=True):
    """What is in force; ``rows`` are the key, value and origin of each setting, for ``--show-config``."""

    policy: Policy
    release: str
    fail_on: str
    strict: bool
    require_match: bool
    facts: tuple[str, ...]
    snapshot: "Path | None"
    baseline: "Path | None"
    ignore: tuple[str, ...]
    files: "tuple[Path | None, ...]"
    """Files of ours that may lie among manifests."""
    rows: tuple[tuple[str, Any, str], ...]


_AS_WRITTEN = dict(zip(Config.__struct_fields__, Config.__struct_encode_fields__, strict=True))
"""The settings' names in the file."""


class _Choosing:
    """Chooses value by value, and keeps the account."""

    def __init__(self, found: Found) -> None:
        self._found = found
        self.rows: list[tuple[str, Any, str]] = []

    def value(self, key: str, given: Any, default: Any) -> Any:  # noqa: ANN401 - values of all settings
        """What the command line gives, else the file, else the default."""
        name = _AS_WRITTEN[key]
        configured = getattr(self._found.config, key)
        if given is not None:
            chosen, origin = given, COMMAND_LINE
        elif configured is not None:
            chosen, origin = configured, self._found.origin(name)
        else:
            chosen, origin = default, DEFAULT
        self.rows.append((name, chosen, origin))
        return chosen

    def path(self, key: str, given: str | None) -> "Path | None":
        """A file; the configuration's are beside it."""
        chosen = self.value(key, given, None)
        if chosen is None:
            return None
        from pathlib import Path

        path = Path(chosen) if given is not None else self._beside(chosen)
        self.rows[-1] = (self.rows[-1][0], str(path), self.rows[-1][2])
        return path

    def _beside(self, configured: str) -> "Path":
        """What the configuration file names."""
        from pathlib import Path

        return self._found.path.parent / configured if self._found.path is not None else Path(configured)

    def both(self, key: str, given: Sequence[str], *, paths: bool = False) -> tuple[str, ...]:
        """What the file lists, and what the command line adds."""
        configured = getattr(self._found.config, key) or ()
        listed = [str(self._beside(each)) if paths else each for each in configured]
        self.value(key, [*listed, *given] if given else None, [])
        name, _, origin = self.rows[-1]
        origin = f"{origin} and {self._found.path}" if given and configured else origin
        self.rows[-1] = (name, [*listed, *given], origin)
        return (*listed, *given)


def settle(flags: Flags, found: Found, read_policy: "Callable[[Path], Policy]") -> Settled:
    """
    Puts together what is in force.

    Raises Misconfigured for a bad policy or exemption, or a rule in the file that does not exist; Misused for
    one on the command line.
    """
    choosing = _Choosing(found)
    policy_file = choosing.path("policy", flags.policy)
    policy = _policy(flags, choosing, policy_file, read_policy)
    exemptions = choosing.value("exemptions", None, [])
    if exemptions:
        _check(exemptions, found)
    only = choosing.value("only", list(flags.only) or None, [])
    skip = choosing.both("skip", flags.skip)
    asked = dict(_actions(flags.rules))
    rules = choosing.value("rules", {**(found.config.rules or {}), **asked} if asked else None, {})
    snapshot = choosing.path("snapshot", flags.snapshot)
    baseline = choosing.path("baseline", flags.baseline)
    return Settled(
        _overridden(policy, _overrides(only, skip, rules, found), exemptions),
        choosing.value("release", flags.release, ""),
        choosing.value("fail_on", flags.fail_on, "deny"),
        choosing.value("strict", flags.strict, False),
        choosing.value("require_match", flags.require_match, False),
        choosing.both("facts", flags.facts, paths=True),
        snapshot,
        baseline,
        choosing.both("ignore", flags.ignore),
        (policy_file, snapshot, baseline),
        tuple(choosing.rows),
    )


def _check(exemptions: Sequence[Exemption], found: Found) -> None:
    from webhook.manifests.policy_faults import faults_of

    for path, wrong in faults_of(Policy(exemptions=[*exemptions])):
        raise found.error(path, wrong)


def _policy(flags: Flags, choosing: _Choosing, path: "Path | None", read_policy: "Callable[[Path], Policy]") -> Policy:
    policy = read_policy(path) if path is not None else Policy()
    profile = choosing.value("profile", flags.profile, None)
    if profile is not None:
        return policy.with_profile(Profile(profile))
    choosing.rows[-1] = ("profile", policy.profile, DEFAULT if path is None else str(path))
    return policy


def _actions(given: Sequence[str]) -> Iterator[tuple[str, Action]]:
    """What each ``--rule ID=action`` says."""
    for each in given:
        rule, _, action = each.partition("=")
        if action not in list(Action):
            raise Misused(f"--rule {each}: write RULE=ACTION. Actions: {', '.join(Action)}.")
        yield rule, Action(action)


def _overrides(
    only: Sequence[str], skip: Sequence[str], rules: Mapping[str, Action], found: Found
) -> dict[str, Action]:
    """By id, what outranks the policy."""
    config = found.config
    overrides: dict[str, Action] = {}
    if only:
        wanted = {rule for word in only for rule in _known(word, found, "only", config.only)}
        overrides |= dict.fromkeys(set(rule_ids().values()) - wanted, Action.OFF)
    overrides |= {rule: Action.OFF for word in skip for rule in _known(word, found, "skip", config.skip)}
    return overrides | {
        rule: action for word, action in rules.items() for rule in _known(word, found, "rules", config.rules)
    }


def _known(word: str, found: Found, key: str, configured: Collection[str] | None) -> list[str]:
    """The ids of the rules that a word names; whoever wrote a wrong one is told where: in the file, or as an option."""
    from webhook.report.rule_names import find_rules, hint

    rules = find_rules(word)
    if rules:
        return rules
    if word in (configured or ()):
        raise found.error((key,), f"unknown rule {word!r}{hint(word)}", "Run `migratable rules` for the list.")
    raise Misused(f"Unknown rule {word!r}{hint(word)}. Run `migratable rules` for the list.")


def _overridden(policy: Policy, overrides: Mapping[str, Action], exemptions: Sequence[Exemption]) -> Policy:
    """The policy under overrides, which hold in every namespace."""
    if not overrides and not exemptions:
        return policy
    ids = rule_ids()

    def kept(actions: Mapping[str, Action]) -> dict[str, Action]:
        return {rule: action for rule, action in actions.items() if ids.get(rule, rule) not in overrides}

    return msgspec.structs.replace(
        policy,
        actions={**kept(policy.actions), **overrides},
        namespaces=[msgspec.structs.replace(each, actions=kept(each.actions)) for each in policy.namespaces],
        exemptions=[*policy.exemptions, *exemptions],
    )


def show(settled: Settled) -> str:
    """Every setting as YAML, with where it comes from."""
    from webhook.yaml import writer

    lines = []
    for key, value, origin in settled.rows:
        first, *rest = writer.dump({key: msgspec.to_builtins(value)}).splitlines()
        lines += [f"{first}  # {origin}", *rest]
    return "\n".join(lines) + "\n"
