"""Configuration files in subfolders of the checked folder. Each file applies to the files below its folder."""

from collections.abc import Callable, Iterator, Sequence
from os.path import abspath, dirname
from typing import TYPE_CHECKING

from webhook.manifests.inherited import MOST_FOLDERS
from webhook.policy.policy import Exemption, Policy
from webhook.surfaces.cli.configuration import Config, find_in
from webhook.surfaces.cli.settings import EffectiveSettings, Flags, combine

if TYPE_CHECKING:
    from pathlib import Path

    from webhook.manifests.ignored import Pattern
    from webhook.surfaces.cli.configuration import LoadedConfig

KEYS = ("policy", "profile", "release", "ignore", "only", "skip", "rules", "exemptions")
"""The fields of ``Config`` that are valid in a subfolder. The other fields apply to the whole run."""
COMMAND_LINE = "--ignore"


class NestedConfigurations:
    """The settings for the folders below ``start``. The nearest configuration file applies, and the command line overrides it."""

    def __init__(self, start: str, flags: Flags, read_policy: "Callable[[Path], Policy]") -> None:
        self._start = start
        self._prefix = start.rstrip("/") + "/"
        self._flags = flags
        self._read_policy = read_policy
        self._settings: dict[str, EffectiveSettings | None] = {}
        """The settings of a few folders without a configuration."""
        self._loaded: dict[str, EffectiveSettings] = {}
        """The settings of the folders with a configuration file."""
        self.names: list[str] = []
        """The files that apply."""
        self.exemptions: list[Exemption] = []

    def of_folder(self, folder: str) -> EffectiveSettings | None:
        """
        The settings for the files in a folder (absolute path), or None if the settings of the run apply.

        Raises Misconfigured for an invalid file, and for a key that applies to the whole run.
        """
        below: list[str] = []
        while folder not in self._settings and not self._is_last(folder):
            below.append(folder)
            folder = dirname(folder)
        settings = self._settings[folder] if folder in self._settings else self._loaded.get(folder)
        if below:
            if len(self._settings) > MOST_FOLDERS:
                self._settings.clear()
            self._settings |= dict.fromkeys(below, settings)
        return settings

    def of_file(self, name: str) -> EffectiveSettings | None:
        """The settings for a file with this name in the report."""
        return self.of_folder(abspath(dirname(name))) if name != "-" else None

    def _is_last(self, folder: str) -> bool:
        """
        Whether the folder has a configuration, or is not below ``start``. Configurations above the nearest one are not read,
        because they do not apply.
        """
        if not folder.startswith(self._prefix) or folder == self._prefix:
            return True
        if folder not in self._loaded and (loaded := find_in(folder)) is not None:
            self._load(folder, loaded)
        return folder in self._loaded

    def _load(self, folder: str, loaded: "LoadedConfig") -> None:
        _refuse_keys_of_the_run(loaded)
        self._loaded[folder] = combine(self._flags, loaded, self._read_policy)
        self.names.append(str(loaded.path))
        self.exemptions += loaded.config.exemptions or ()

    def patterns(self, of_run: "Sequence[Pattern]") -> "Callable[[str], Sequence[Pattern]]":
        """The ignore patterns for the entries in a folder. Patterns on the command line apply everywhere."""
        of_command_line = [pattern for pattern in of_run if pattern.origin == COMMAND_LINE]

        def patterns_of(folder: str) -> "Sequence[Pattern]":
            settings = self.of_folder(folder)
            if settings is None:
                return of_run
            own = [pattern for pattern in settings.ignore if pattern.origin != COMMAND_LINE]
            return [*own, *of_command_line]

        return patterns_of


def _refuse_keys_of_the_run(loaded: "LoadedConfig") -> None:
    for field, name in zip(Config.__struct_fields__, Config.__struct_encode_fields__, strict=True):
        if field not in KEYS and getattr(loaded.config, field) is not None:
            raise loaded.error(
                (name,),
                "the key applies to the whole run, so it is invalid in a subfolder of the checked folder",
                f"Move it to the configuration of the checked folder, or check {loaded.folder} on its own.",
            )


def notes(nested: NestedConfigurations) -> Iterator[str]:
    """A note that names the nested configuration files, if there are any."""
    if nested.names:
        names = sorted(nested.names)
        shown = names if len(names) <= 5 else [*names[:5], f"and {len(names) - 5} more"]
        yield f"settings for subfolders come from {', '.join(shown)}"
