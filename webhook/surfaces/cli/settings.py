"""The settings of ``migratable check``: the command line overrides the configuration file, which overrides the defaults."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from webhook.policy.policy import Action, Exemption, Policy, Profile, rule_ids
from webhook.surfaces.cli.configuration import Config, LoadedConfig
from webhook.surfaces.cli.status import UsageMistake

if TYPE_CHECKING:
    from pathlib import Path

    from webhook.manifests.ignored import Pattern

COMMAND_LINE = "command line"
DEFAULT = "default"


class Flags(msgspec.Struct, frozen=True):
    """The options that a configuration file can also set. An option that is None or empty is absent."""

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
    no_gitignore: bool | None = None
    only: Sequence[str] = ()
    skip: Sequence[str] = ()
    rules: Sequence[str] = ()


class EffectiveSettings(msgspec.Struct, frozen=True):
    """The settings in use. ``rows`` contains the key, value and origin of each setting, for ``--show-config``."""

    policy: Policy
    release: str
    fail_on: str
    strict: bool
    require_match: bool
    facts: tuple[str, ...]
    snapshot: "Path | None"
    baseline: "Path | None"
    ignore: "tuple[Pattern, ...]"
    gitignore: bool
    files: "tuple[Path | None, ...]"
    """Migratable's own files, which can be next to manifests."""
    rows: tuple[tuple[str, Any, str], ...]


_FILE_KEYS = dict(zip(Config.__struct_fields__, Config.__struct_encode_fields__, strict=True))
"""The key of each setting in the configuration file."""


class _Chooser:
    """Chooses the value of each setting, and records its origin."""

    def __init__(self, loaded: LoadedConfig) -> None:
        self._loaded = loaded
        self.rows: list[tuple[str, Any, str]] = []

    def value(self, key: str, flag: Any, default: Any) -> Any:  # noqa: ANN401 - values of all settings
        """
        The value from the command line, else the value from the file, else the default.
        """
        name = _FILE_KEYS[key]
        configured = getattr(self._loaded.config, key)
        if flag is not None:
            chosen, origin = flag, COMMAND_LINE
        elif configured is not None:
            chosen, origin = configured, self._loaded.origin(name)
        else:
            chosen, origin = default, DEFAULT
        self.rows.append((name, chosen, origin))
        return chosen

    def path(self, key: str, flag: str | None) -> "Path | None":
        """The path of a file. In the configuration file, paths are relative to the folder of that file."""
        chosen = self.value(key, flag, None)
        if chosen is None:
            return None
        from pathlib import Path

        path = Path(chosen) if flag is not None else self._resolve(chosen)
        self.rows[-1] = (self.rows[-1][0], str(path), self.rows[-1][2])
        return path

    def _resolve(self, configured: str) -> "Path":
        """A path of the configuration file."""
        from pathlib import Path

        return self._loaded.path.parent / configured if self._loaded.path is not None else Path(configured)

    def joined(self, key: str, flags: Sequence[str], *, paths: bool = False) -> tuple[str, ...]:
        """The list from the file, followed by the list from the command line."""
        configured = getattr(self._loaded.config, key) or ()
        listed = [str(self._resolve(item)) if paths else item for item in configured]
        self.value(key, [*listed, *flags] if flags else None, [])
        name, _, origin = self.rows[-1]
        origin = f"{origin} and {self._loaded.path}" if flags and configured else origin
        self.rows[-1] = (name, [*listed, *flags], origin)
        return (*listed, *flags)


def combine(flags: Flags, loaded: LoadedConfig, read_policy: "Callable[[Path], Policy]") -> EffectiveSettings:
    """
    Combines command line, configuration file and defaults.

    Raises Misconfigured for an invalid policy or exemption, and for an unknown rule in the file. Raises UsageMistake for an
    unknown rule on the command line.
    """
    choosing = _Chooser(loaded)
    policy_file = choosing.path("policy", flags.policy)
    policy = _policy(flags, choosing, policy_file, read_policy)
    exemptions = choosing.value("exemptions", None, [])
    if exemptions:
        _check(exemptions, loaded)
    only = choosing.value("only", _split(flags.only) or None, [])
    skip = choosing.joined("skip", _split(flags.skip))
    flag_actions = dict(_actions(flags.rules))
    rules = choosing.value("rules", {**(loaded.config.rules or {}), **flag_actions} if flag_actions else None, {})
    snapshot = choosing.path("snapshot", flags.snapshot)
    baseline = choosing.path("baseline", flags.baseline)
    return EffectiveSettings(
        _overridden(policy, _overrides(only, skip, rules, loaded), exemptions),
        choosing.value("release", flags.release, ""),
        choosing.value("fail_on", flags.fail_on, "deny"),
        choosing.value("strict", flags.strict, False),
        choosing.value("require_match", flags.require_match, False),
        choosing.joined("facts", flags.facts, paths=True),
        snapshot,
        baseline,
        _patterns(choosing.joined("ignore", flags.ignore), flags, loaded),
        choosing.value("gitignore", False if flags.no_gitignore else None, True),
        (policy_file, snapshot, baseline),
        tuple(choosing.rows),
    )


def _patterns(texts: Sequence[str], flags: Flags, loaded: LoadedConfig) -> "tuple[Pattern, ...]":
    """
    The ignore patterns. Patterns in the file are relative to the folder of the file. Patterns on the command line are
    relative to the working folder.
    """
    if not texts:
        return ()
    from webhook.manifests.ignored import Pattern, working_directory

    here = working_directory()
    configured = [Pattern(text, loaded.folder, str(loaded.path)) for text in loaded.config.ignore or ()]
    return (*configured, *(Pattern(text, here) for text in flags.ignore))


def _split(words: Sequence[str]) -> list[str]:
    """The rules that options such as ``--only LM101,LM2`` select."""
    return [part.strip() for word in words for part in word.split(",")]


def _check(exemptions: Sequence[Exemption], loaded: LoadedConfig) -> None:
    from webhook.manifests.policy_faults import faults_of

    for path, wrong in faults_of(Policy(exemptions=[*exemptions])):
        raise loaded.error(path, wrong)


def _policy(flags: Flags, choosing: _Chooser, path: "Path | None", read_policy: "Callable[[Path], Policy]") -> Policy:
    policy = read_policy(path) if path is not None else Policy()
    profile = choosing.value("profile", flags.profile, None)
    if profile is not None:
        return policy.with_profile(Profile(profile))
    choosing.rows[-1] = ("profile", policy.profile, DEFAULT if path is None else str(path))
    return policy


def _actions(words: Sequence[str]) -> Iterator[tuple[str, Action]]:
    """The rule and the action of each ``--rule RULE=ACTION``."""
    for word in words:
        rule, _, action = word.partition("=")
        if action not in list(Action):
            raise UsageMistake(f"--rule {word}: write RULE=ACTION. Actions: {', '.join(Action)}.")
        yield rule, Action(action)


def _overrides(
    only: Sequence[str], skip: Sequence[str], rules: Mapping[str, Action], loaded: LoadedConfig
) -> dict[str, Action]:
    """The actions that override the policy, by rule id."""
    config = loaded.config
    overrides: dict[str, Action] = {}
    if only:
        wanted = {rule for word in only for rule in _known(word, loaded, "only", config.only)}
        overrides |= dict.fromkeys(set(rule_ids().values()) - wanted, Action.OFF)
    overrides |= {rule: Action.OFF for word in skip for rule in _known(word, loaded, "skip", config.skip)}
    return overrides | {
        rule: action for word, action in rules.items() for rule in _known(word, loaded, "rules", config.rules)
    }


def _known(word: str, loaded: LoadedConfig, key: str, configured: Collection[str] | None) -> list[str]:
    """The ids of the rules that a word names. The error for an unknown rule names the file or the option."""
    from webhook.report.rule_names import find_rules, hint

    rules = find_rules(word)
    if rules:
        return rules
    if word in (configured or ()):
        raise loaded.error((key,), f"unknown rule {word!r}{hint(word)}", "Run `migratable rules` for the list.")
    raise UsageMistake(f"Unknown rule {word!r}{hint(word)}. Run `migratable rules` for the list.")


def _overridden(policy: Policy, overrides: Mapping[str, Action], exemptions: Sequence[Exemption]) -> Policy:
    """The policy with the overrides and further exemptions. The overrides apply in every namespace."""
    if not overrides and not exemptions:
        return policy
    ids = rule_ids()

    def kept(actions: Mapping[str, Action]) -> dict[str, Action]:
        return {rule: action for rule, action in actions.items() if ids.get(rule, rule) not in overrides}

    return msgspec.structs.replace(
        policy,
        actions={**kept(policy.actions), **overrides},
        namespaces=[
            msgspec.structs.replace(namespace, actions=kept(namespace.actions)) for namespace in policy.namespaces
        ],
        exemptions=[*policy.exemptions, *exemptions],
    )


def show(settings: EffectiveSettings) -> str:
    """Every setting as YAML, with its origin as a comment."""
    from webhook.yaml import writer

    lines = []
    for key, value, origin in settings.rows:
        first, *rest = writer.dump({key: msgspec.to_builtins(value)}).splitlines()
        lines += [f"{first}  # {origin}", *rest]
    return "\n".join(lines) + "\n"
