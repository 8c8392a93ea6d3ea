"""The configuration file of ``migratable check``: where it is, its settings, and the line of each setting."""

from collections.abc import Iterator, Sequence
from datetime import date
from os import F_OK, access, getcwd
from os.path import abspath, commonpath, dirname, exists, isdir, isfile, join, normpath
from typing import TYPE_CHECKING, Any

import msgspec

from webhook.errors import Misconfigured
from webhook.kubevirt.schema.spelling import close_matches
from webhook.manifests.search import CONFIGURATIONS
from webhook.policy.policy import Action, Exemption, Profile
from webhook.surfaces.cli.options import FAIL_ON

if TYPE_CHECKING:
    from pathlib import Path

    from webhook.manifests.typed import OwnFile
    from webhook.objects.path import FieldPath
    from webhook.objects.type_errors import TypeFault

PYPROJECT = "pyproject.toml"
TABLE = "tool.migratable"
REMEDY = "Correct the value."


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The settings of the file. If a setting is absent, the command line or the default applies."""

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
    gitignore: bool | None = None
    only: list[str] | None = None
    skip: list[str] | None = None
    rules: dict[str, Action] | None = None
    exemptions: list[Exemption] | None = None


class LoadedConfig(msgspec.Struct, frozen=True):
    """A configuration and its file."""

    config: Config = Config()
    path: "Path | None" = None
    file: "OwnFile | None" = None
    """The parsed file, which has the line of each key. The value is None for an empty file."""
    is_pinned: bool = False
    """Whether ``--config`` names the file. Otherwise it was found near the manifests."""

    @property
    def folder(self) -> str:
        """The absolute path of the folder that contains the file, or empty if there is no file."""
        return dirname(abspath(self.path)) if self.path is not None else ""

    def origin(self, key: str) -> str:
        """``migratable.yaml:3``."""
        line = self.file.line((key,)) if self.file is not None and key in self.file.value else None
        return f"{self.path}:{line}" if line else str(self.path)

    def error(self, path: "FieldPath", message: str, remedy: str = "") -> Misconfigured:
        """An error that names the file, the line and the path."""
        assert self.file is not None  # noqa: S101 - an empty file has no errors
        return self.file.error(path, message, remedy)


def find(paths: Sequence[str]) -> LoadedConfig:
    """
    Loads the nearest configuration file, from the common folder of ``paths`` up to the root of the repository.

    Raises Misconfigured for a file that cannot be read.
    """
    for folder in _upward(start_of(paths)):
        loaded = find_in(folder)
        if loaded is not None:
            return loaded
    return LoadedConfig()


def find_in(folder: str) -> LoadedConfig | None:
    """
    Loads the configuration file of a folder.

    Raises Misconfigured for a file that cannot be read, and for several files. A Kubernetes manifest that has the file name of
    a configuration is ignored.
    """
    within = join(folder, "")
    names = [name for name in CONFIGURATIONS if _is_file(within + name) and not _is_manifest(within + name)]
    if len(names) > 1:
        first, second = (_shown_name(join(folder, name)) for name in names[:2])
        raise Misconfigured(f"{first} and {second} are both configuration files", remedy="Keep one of them.")
    if names:
        return _read(join(folder, names[0]))
    if _is_file(within + PYPROJECT) and _has_table(within + PYPROJECT):
        loaded = _read(join(folder, PYPROJECT))
        if loaded.path is not None:
            return loaded
    return None


def _is_file(path: str) -> bool:
    """Whether a path is a file. Most folders have no such file, and ``access`` takes half of the time of ``isfile`` then."""
    try:
        return access(path, F_OK) and isfile(path)
    except ValueError:  # no file can have this name
        return False


def _is_manifest(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            content = b"\n" + file.read()
    except OSError:
        return False
    return b"\napiVersion:" in content and b"\nkind:" in content


def _shown_name(path: str) -> str:
    from pathlib import Path

    return str(_shown(Path(path)))


def start_of(paths: Sequence[str]) -> str:
    """The common folder of all paths. Standard input counts as the current folder."""
    try:
        here = getcwd()
    except OSError:  # the current folder was deleted, so relative names have no meaning
        here = "/"
    named = [normpath(join(here, path)) for path in paths if path != "-"]
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


def _has_table(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return TABLE.encode() in file.read()
    except OSError:
        return False


def _read(path: str) -> LoadedConfig:
    from pathlib import Path

    return read(Path(path))


def read(path: "Path", *, pinned: bool = False) -> LoadedConfig:
    """Loads one file. Raises Misconfigured with file, line and key for the first error."""
    shown = _shown(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Misconfigured(f"{shown} cannot be read: {error.strerror}", remedy="Check --config.") from None
    from webhook.manifests.typed import OwnFile, read_own_file

    if path.suffix == ".toml":
        value = _toml(content, shown)
        if value is None:
            return LoadedConfig()
        file: OwnFile | None = OwnFile(str(shown), value, REMEDY)
    else:
        file = read_own_file(content, str(shown), what="configuration", remedy=REMEDY)
    return LoadedConfig(_config(file) if file is not None else Config(), shown, file, pinned)


def _shown(path: "Path") -> "Path":
    """The path relative to the current folder, if the path is below that folder."""
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
    """The key of a TOML name: ``failOn`` for ``fail-on``."""
    first, *rest = key.split("-")
    return first + "".join(part.capitalize() for part in rest)


def _plain(value: Any) -> Any:  # noqa: ANN401 - TOML's values
    """Converts a TOML value to the value that YAML would give: dates become text."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _config(file: "OwnFile") -> Config:
    config = file.read(_convert, _describe)
    for key in ("policy", "snapshot", "baseline", "facts"):
        value = getattr(config, key) or ()
        if any("\0" in path for path in ((value,) if isinstance(value, str) else value)):
            raise file.error((key,), "NUL character in a file name", "Write a file name without NUL characters.")
    if config.fail_on is not None and config.fail_on not in FAIL_ON:
        raise file.error(("failOn",), f"invalid value {config.fail_on!r}", f"Write one of {', '.join(FAIL_ON)}.")
    return config


def _convert(value: Any) -> Config:  # noqa: ANN401 - JSON
    if isinstance(value, dict) and "rules" in value:
        value = {**value, "rules": _spell_off(value["rules"])}
    return msgspec.convert(value, Config)


def _describe(fault: "TypeFault") -> tuple[str, str]:
    """The message and the remedy for an unknown key or a value of a wrong type."""
    top = fault.place[0] if fault.place else ""
    if fault.unknown_key and len(fault.place) == 1:
        keys = Config.__struct_encode_fields__
        near = close_matches(fault.unknown_key, keys)
        hint = f"Did you mean {near[0]!r}? " if near else ""
        return "unknown setting", f"{hint}Settings: {', '.join(keys)}."
    if top == "profile":
        return fault.message, f"Write one of {', '.join(Profile)}."
    if top == "rules" and len(fault.place) > 1:
        return fault.message, f"Write one of {', '.join(Action)}."
    if not fault.place:
        return fault.message, "Write settings as `key: value`."
    if fault.expected == "str":
        return fault.message, "Quote the value."
    if fault.expected == "array" and fault.got == "str":
        return fault.message, "Write a list: [one, other]."
    return fault.message, ""


def _spell_off(actions: object) -> object:
    """The actions, with the string ``off`` instead of false. YAML reads the unquoted word ``off`` as false."""
    if not isinstance(actions, dict):
        return actions
    return {rule: "off" if action is False else action for rule, action in actions.items()}
