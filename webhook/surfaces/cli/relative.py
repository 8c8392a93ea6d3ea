"""File names in a report, relative to the root of the repository, where CI systems look for the files."""

import os

from msgspec.structs import replace

from webhook.report.model import Report


class RelativeNames:
    """Renames files below ``root``. The names in a report are relative to the current folder, or absolute."""

    def __init__(self, root: str) -> None:
        self._roots = {f"{path.rstrip('/')}/" for path in _both(root)}
        self._renamed: dict[str, str] = {"": "", "-": "-"}

    def __call__(self, name: str) -> str:
        """
        The name relative to the root. Names of files outside the root do not change. The name of standard input does not
        change either.
        """
        renamed = self._renamed.get(name)
        if renamed is None:
            renamed = self._renamed[name] = self._find(name)
        return renamed

    def _find(self, name: str) -> str:
        for path in _both(name):
            for root in self._roots:
                if path.startswith(root):
                    return path[len(root) :]
        return name


def _both(path: str) -> tuple[str, str]:
    """The absolute path as typed, and the absolute path without symbolic links."""
    return os.path.abspath(path), os.path.realpath(path)  # noqa: PTH100 - ``Path.resolve`` follows links


def with_names(report: Report, rename: RelativeNames) -> Report:
    """The report with renamed files."""
    objects = [
        judged
        if judged.source is None
        else replace(
            judged,
            source=replace(
                judged.source, file=rename(judged.source.file), rendered_from=rename(judged.source.rendered_from)
            ),
        )
        for judged in report.objects
    ]
    problems = [replace(problem, file=rename(problem.file)) for problem in report.problems]
    return replace(report, objects=objects, problems=problems)
