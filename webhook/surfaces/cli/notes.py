"""The notes of ``migratable check`` on stderr: what was left out, and where settings come from."""

import os
from collections.abc import Iterator, Sequence
from os.path import abspath, isdir
from typing import TYPE_CHECKING

from webhook.manifests.sources import Sources
from webhook.policy.policy import Action, rule_ids
from webhook.report.model import Report
from webhook.surfaces.cli.configuration import LoadedConfig
from webhook.surfaces.cli.settings import EffectiveSettings
from webhook.surfaces.cli.status import write_stderr

if TYPE_CHECKING:
    from webhook.surfaces.cli.run_check import RunOptions

MAX_NAMES = 5
"""Maximum number of file names in a note."""


def write_notes(
    report: Report, options: "RunOptions", effective: EffectiveSettings, loaded: LoadedConfig, sources: Sources
) -> None:
    """Writes the notes that are not in the report on stdout."""
    if not any(output.form == "text" and output.target is None for output in options.outputs):
        for note in report.notes:
            write_stderr(f"note: {note}")
    if sources.ignored:
        write_stderr(f"note: ignored files and folders: {sources.ignored}")
    if sources.ignored_by_git:
        write_stderr(f"note: ignored by .gitignore: {sources.ignored_by_git}. --no-gitignore reads these files")
    if effective.ignore:
        from webhook.manifests.ignored import unused

        is_whole = is_searched(loaded.folder, options)
        for note in unused(pattern for pattern in effective.ignore if is_whole or pattern.origin == "--ignore"):
            write_stderr(f"note: {note}")
    if sources.kustomizations or sources.charts or sources.patches or sources.judged_rendered:
        from webhook.surfaces.cli.unrendered_notes import unrendered_notes

        for note in unrendered_notes(sources):
            write_stderr(f"note: {note}")
    for note in _unused_exemptions(report, options, effective, loaded):
        write_stderr(f"note: {note}")
    if options.no_recursive and (count := _count_subfolders(options.paths)):
        counted = "1 subfolder was" if count == 1 else f"{count} subfolders were"
        write_stderr(f"note: {counted} not searched, because of --no-recursive")
    if sources.others:
        write_stderr(f"note: {_not_manifests([*sources.others])}")
    if sources.texts.changed:
        write_stderr(f"note: {_changed([*sources.texts.changed])}")
    if loaded.path is not None and not loaded.is_pinned:
        write_stderr(
            f"note: settings come from {loaded.path}, next to the checked files. A change to these files can also change the "
            "settings. To pin the settings, name a file from another folder with --config."
        )


def _unused_exemptions(
    report: Report, options: "RunOptions", effective: EffectiveSettings, loaded: LoadedConfig
) -> Iterator[str]:
    """
    Notes on exemptions that cover no finding.

    A policy file also applies to the cluster, so its exemptions can be about objects that have no manifest here.
    """
    if not effective.policy.exemptions:
        return
    from webhook.report.exemptions import unused_exemptions

    own = dict.fromkeys(loaded.config.exemptions or ())
    off = {rule for rule, action in effective.policy.actions.items() if action is Action.OFF}
    is_whole = is_searched(loaded.folder, options) and not report.problems
    in_use = [exemption for exemption in own if rule_ids().get(exemption.rule, exemption.rule) not in off]
    yield from unused_exemptions(report, in_use, is_whole=is_whole)
    of_policy = [exemption for exemption in effective.policy.exemptions if exemption not in own]
    yield from unused_exemptions(report, of_policy, is_whole=False)


def is_searched(folder: str, options: "RunOptions") -> bool:
    """
    Whether the check reads the whole folder. If so, a setting in the folder's configuration that matches nothing has no effect.
    """
    if options.no_recursive:
        return False
    named = {abspath(path) for path in options.paths if path != "-" and isdir(path)}
    while folder and folder not in named and folder != "/":
        folder = folder.rpartition("/")[0] or "/"
    return folder in named


def _count_subfolders(paths: Sequence[str]) -> int:
    """The number of folders in the named folders, without the folders of version control systems."""
    from webhook.manifests.folders import HISTORY_FOLDERS

    count = 0
    for path in {abspath(path) for path in paths if path != "-" and isdir(path)}:
        try:
            with os.scandir(path) as entries:
                count += sum(
                    entry.is_dir(follow_symlinks=False) and entry.name not in HISTORY_FOLDERS for entry in entries
                )
        except OSError:  # the check reports the folder itself
            continue
    return count


def _changed(names: Sequence[str]) -> str:
    """The files that were changed while they were checked, in one line."""
    counted = "1 file has" if len(names) == 1 else f"{len(names)} files have"
    return f"{counted} changed during the check, so the report shows no excerpts: {_some(names)}"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names if len(names) <= MAX_NAMES else [*names[:MAX_NAMES], f"and {len(names) - MAX_NAMES} more"])


def _not_manifests(names: Sequence[str]) -> str:
    """The files in the searched folders that are not manifests, in one line."""
    counted = (
        "1 file is not a Kubernetes manifest" if len(names) == 1 else f"{len(names)} files are not Kubernetes manifests"
    )
    return f"{counted}: {_some(names)}"
