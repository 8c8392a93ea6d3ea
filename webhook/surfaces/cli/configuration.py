"""The configuration file of ``migratable check``: where it is found, what may stand in it, and where each value is from."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from os import getcwd
from os.path import commonpath, dirname, exists, isdir, isfile, join
from typing import TYPE_CHECKING, Any

import msgspec

from webhook.errors import BadInput, Misconfigured
from webhook.kubevirt.schema.spelling import close_matches
from webhook.objects.path import FieldPath, dotted
from webhook.policy.policy import Action, Exemption, Profile
from webhook.surfaces.cli.options import FAIL_ON
from webhook.yaml.document import Document, read_documents

if TYPE_CHECKING:
    from pathlib import Path

NAME = "migratable.yaml"
PYPROJECT = "pyproject.toml"
TABLE = "tool.migratable"


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What may stand in the file; what is absent stays with the command line or its default."""

    policy: str | None = None
    profile: Profile | None = None
    release: str | None = None
    fail_on: str | None = None
    strict: bool | None = None
    require_match: bool | None = None
    facts: list[str] | None = None
    snapshot: str | None = None
    baseline: str | None = None
    ignore: list[str] | None = None
    only: list[str] | None = None
    skip: list[str] | None = None
    rules: dict[str, Action] | None = None
    exemptions: list[Exemption] | None = None


class Found(msgspec.Struct, frozen=True):
    """A configuration, the file that it is from, and the line of each key where lines are known."""

    config: Config = Config()
    path: "Path | None" = None
    lines: dict[str, int] = {}
    is_pinned: bool = False
    """Named with ``--config``, not found beside the manifests."""

    def origin(self, key: str) -> str:
        """``migratable.yaml:3``."""
        line = self.lines.get(key)
        return f"{self.path}:{line}" if line else str(self.path)


def find(paths: Sequence[str]) -> Found:
    """
    The nearest file upward from what is checked, up to the root of its repository; nothing where there is none.

    Raises Misconfigured for a file that cannot be read.
    """
    for folder in _upward(_start(paths)):
        if isfile(join(folder, NAME)):
            return _read(join(folder, NAME))
        if isfile(join(folder, PYPROJECT)) and _mentions_us(join(folder, PYPROJECT)):
            found = _read(join(folder, PYPROJECT))
            if found.path is not None:
                return found
    return Found()


def _start(paths: Sequence[str]) -> str:
    """The folder that holds everything that was named; the current one for standard input."""
    try:
        here = getcwd()
    except OSError:  # it was deleted: relative names lead nowhere now
        here = "/"
    named = [join(here, each) for each in paths if each != "-"]
    if not named or len(named) < len(paths):
        named.append(here)
    common = commonpath(named)
    return common if isdir(common) else dirname(common)


def _upward(folder: str) -> Iterator[str]:
    while True:
        yield folder
        if exists(join(folder, ".git")) or dirname(folder) == folder:
            return
        folder = dirname(folder)


def _mentions_us(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return TABLE.encode() in file.read()
    except OSError:
        return False


def _read(path: str) -> Found:
    from pathlib import Path

    return read(Path(path))


def read(path: "Path", *, pinned: bool = False) -> Found:
    """The configuration in one file; raises Misconfigured with file, line and key for whatever is wrong."""
    shown = _shown(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Misconfigured(f"{shown} cannot be read: {error.strerror}", remedy="Check --config.") from None
    if path.suffix == ".toml":
        value = _toml(content, shown)
        if value is None:
            return Found()
        return Found(_config(value, shown, {}), shown, {}, pinned)
    try:
        documents = read_documents(content, str(shown))
    except BadInput as error:
        raise Misconfigured(f"{shown}:{error.line}: {error.message}", remedy=error.remedy) from None
    if len(documents) > 1:
        raise Misconfigured(f"{shown} has {len(documents)} documents", remedy="Write one document.")
    if not documents:
        return Found(Config(), shown, {}, pinned)
    lines = _lines_of(documents[0])
    return Found(_config(documents[0].value, shown, lines), shown, lines, pinned)


def _shown(path: "Path") -> "Path":
    """As somebody in the current folder would name it."""
    try:
        return path.absolute().relative_to(getcwd())
    except (ValueError, OSError):
        return path


def _toml(content: bytes, shown: "Path") -> dict[str, Any] | None:
    import tomllib

    try:
        table: Any = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{shown} is not valid TOML: {error}", remedy="Correct the syntax.") from None
    for key in TABLE.split("."):
        table = table.get(key) if isinstance(table, dict) else None
    if table is None:
        return None
    if not isinstance(table, dict):
        raise Misconfigured(f"{shown}: {TABLE} is not a table", remedy=f"Write [{TABLE}].")
    return {_camel(key): _plain(value) for key, value in table.items()}


def _camel(key: str) -> str:
    """``fail-on``, as TOML has it, is ``failOn``."""
    first, *rest = key.split("-")
    return first + "".join(part.capitalize() for part in rest)


def _plain(value: Any) -> Any:  # noqa: ANN401 - TOML's values
    """Dates as text, as in YAML."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _lines_of(document: Document) -> dict[str, int]:
    value = document.value
    return {key: document.mark((key,)).line for key in value} if isinstance(value, dict) else {}


def _config(value: object, shown: "Path", lines: Mapping[str, int]) -> Config:
    keys = Config.__struct_encode_fields__
    for key in value if isinstance(value, dict) else ():
        if key not in keys:
            near = close_matches(key, keys)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise Misconfigured(
                f"{_at(shown, lines, key)}: unknown setting {key!r}",
                remedy=f"{hint} Settings: {', '.join(keys)}.".strip(),
            )
    if isinstance(value, dict) and "rules" in value:
        value = {**value, "rules": _spell_off(value["rules"])}
    try:
        config = msgspec.convert(value, Config)
    except msgspec.ValidationError as error:
        from webhook.manifests.typed import misfit

        text, path = misfit(value, error, lambda each: msgspec.convert(each, Config))
        key = str(path[0]) if path else ""
        field = f"{dotted(path)}: " if path else ""
        raise Misconfigured(f"{_at(shown, lines, key)}: {field}{text}", remedy=_remedy(text, path)) from None
    for key in ("policy", "snapshot", "baseline", "facts"):
        value = getattr(config, key) or ()
        if any("\0" in each for each in ((value,) if isinstance(value, str) else value)):
            raise Misconfigured(
                f"{_at(shown, lines, key)}: {key} contains a NUL character", remedy="Write the name of a file."
            )
    if config.fail_on is not None and config.fail_on not in FAIL_ON:
        raise Misconfigured(
            f"{_at(shown, lines, 'failOn')}: invalid failOn {config.fail_on!r}",
            remedy=f"Write one of {', '.join(FAIL_ON)}.",
        )
    return config


def _remedy(text: str, path: FieldPath) -> str:
    """What to write instead of a value that does not fit."""
    if path[:1] == ("profile",):
        return f"Write one of {', '.join(Profile)}."
    if path[:1] == ("rules",) and len(path) > 1:
        return f"Write one of {', '.join(Action)}."
    if not path:
        return "Write settings as `key: value`."
    if text.startswith("expected text, got "):
        return "Write it in quotation marks."
    return "Write a list: [one, other]." if text.startswith("expected a list, got text") else "Correct the value."


def _at(shown: "Path", lines: Mapping[str, int], key: str) -> str:
    return f"{shown}:{lines[key]}" if key in lines else str(shown)


def _spell_off(actions: object) -> object:
    """A mapping of actions, in which a bare ``off``, that YAML takes for false, is the word again."""
    if not isinstance(actions, dict):
        return actions
    return {rule: "off" if action is False else action for rule, action in actions.items()}
