"""Checks files in one of three ways: held in memory, one after another, or in several processes. Shows the progress."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from webhook.check.check import Settings
from webhook.check.results import FileResult
from webhook.check.streaming import StreamingCheck, ignore
from webhook.facts.objects_world import Snapshot
from webhook.manifests.files import Inputs
from webhook.manifests.objects import ManifestObject, Manifests
from webhook.manifests.sources import Sources
from webhook.report.model import Report
from webhook.surfaces.cli.main import interruptible
from webhook.surfaces.cli.progress import Bar

if TYPE_CHECKING:
    from webhook.surfaces.cli.nested import NestedConfigurations


class Check:
    """A check with one set of settings, references and snapshot. One of the three methods makes the report."""

    def __init__(
        self,
        settings: Settings,
        references: Sequence[ManifestObject],
        snapshot: Snapshot,
        progress: Bar,
        nested: "NestedConfigurations | None",
    ) -> None:
        self._settings = settings
        self._nested = nested
        self._references = references
        self._snapshot = snapshot
        self._progress = progress

    def all_at_once(self, files: Sequence[Manifests]) -> Report:
        """The report on files that stay in memory."""
        streaming = self._begin(files.__getitem__)
        self._progress(0, len(files))
        for done, manifests in enumerate(files, 1):
            streaming.add(manifests)
            self._progress(done, len(files))
        return self._finish(streaming)

    def in_processes(self, inputs: Inputs, sources: Sources, unreadable: Sequence[Manifests], count: int) -> Report:
        """The report of ``one_by_one``, made in several processes."""
        from webhook.check.parallel import ParallelCheck
        from webhook.check.sharing import SharingJudge

        def again(done: int, total: int) -> None:
            if not done:
                self._progress.begin("checking again")
            self._progress(done, total)

        self._progress.begin("checking")
        report = ParallelCheck(
            SharingJudge(self._settings, self._references, self._snapshot, settings_of=self._nested_settings()),
            inputs,
            sources,
            unreadable,
            count=count,
            is_large=inputs.is_large,
            begun=interruptible,
            progress=self._progress,
            objects=self._progress.judged,
            again=again,
        ).report()
        self._progress.clear()
        return report

    def one_by_one(self, inputs: Inputs, unreadable: Sequence[Manifests]) -> Report:
        """The report on files that are read one after another. The text of a file without findings is freed."""
        is_large = inputs.is_large

        def free_text(number: int, result: FileResult) -> None:
            if not result.needs_text:
                inputs.forget(number)
            elif is_large:
                inputs.release(number)

        streaming = self._begin(inputs.read, is_large=is_large)
        for number, manifests in enumerate(inputs):
            free_text(number, streaming.add(manifests))
            if not number:
                interruptible()
        for manifests in unreadable:
            streaming.add(manifests)
        return self._finish(streaming, free_text)

    def _begin(self, reread: Callable[[int], Manifests], *, is_large: bool = False) -> StreamingCheck:
        self._progress.begin("checking")
        return StreamingCheck(
            self._settings,
            reread,
            self._references,
            self._snapshot,
            self._progress.judged,
            self._nested_settings(),
            is_large=is_large,
        )

    def _nested_settings(self) -> Callable[[str], Settings | None] | None:
        """The settings by file. Nested configurations were found with the files."""
        return self._settings_of if self._nested is not None and self._nested.names else None

    def _settings_of(self, name: str) -> Settings | None:
        """The settings for a file below a nested configuration."""
        found = self._nested.of_file(name) if self._nested is not None else None
        return Settings(found.policy, found.release, self._settings.today) if found is not None else None

    def _finish(self, streaming: StreamingCheck, judged_again: Callable[[int, FileResult], None] = ignore) -> Report:
        self._progress.begin("checking again")
        report = streaming.report(self._progress, judged_again)
        self._progress.clear()
        return report
