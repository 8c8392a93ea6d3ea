"""
Renders kustomizations and charts for ``check -k`` and ``check --helm``, with the programs on PATH.

A rendered text has the name of its source with `` (rendered)`` at the end. Line numbers refer to the output of the program.
"""

import os
import re
import signal
import subprocess
from collections.abc import Iterator, Sequence
from shlex import join, quote
from shutil import which

import msgspec

from webhook.errors import BadInput, Misconfigured
from webhook.manifests.kustomizations import file_in, reachable
from webhook.manifests.objects import Manifests, read_manifests
from webhook.manifests.origins import Parts
from webhook.manifests.search import KUSTOMIZATIONS, normalized, shown, unreadable
from webhook.manifests.sources import Sources
from webhook.manifests.streams import MAX_STREAM_BYTES
from webhook.surfaces.cli.redaction import Redaction

SUFFIX = " (rendered)"
MAX_SECONDS = 120
"""Time limit for one rendering, in seconds."""
_MAX_LINES = 3
_SOURCE = re.compile(rb"^---\r?\n# Source: ([^\r\n]+)\r?\n", re.MULTILINE)
"""The comment of ``helm template`` before each document (pkg/cmd/template.go)."""
_KLOG = re.compile(
    r'^[EF]\d{4} .*?\] "command failed" err=(?:"(?P<line>.*)"|<(?P<lines>.*?)\n >)$', re.MULTILINE | re.DOTALL
)
_FLAGS = {
    "external plugins disabled": "--enable-alpha-plugins --enable-exec",
    "must specify --enable-helm": "--enable-helm",
    "is not in or below": "--load-restrictor LoadRestrictionsNone",
}
"""The flags of kustomize that a kustomization needs, by error message. They start programs or read files of other folders."""
_HINTS = ("Use --debug flag", "# Warning:")
"""Lines that do not say why a program failed."""


class RenderOptions(msgspec.Struct, frozen=True):
    """The folders to render, and the values for charts."""

    kustomizations: Sequence[str] = ()
    charts: Sequence[str] = ()
    values: Sequence[str] = ()
    settings: Sequence[str] = ()
    """``KEY=VALUE`` of ``--set``."""


def render(options: RenderOptions, sources: Sources) -> list[Manifests]:
    """
    The rendered manifests. The rendered texts and their names are added to ``sources``.

    A folder that cannot be rendered becomes a problem. Raises Misconfigured if a program is missing.
    """
    rendered: list[Manifests] = []
    for folder in dict.fromkeys(map(normalized, options.kustomizations)):
        rendered += _attempt(_kustomize(folder, sources))
    for chart in dict.fromkeys(map(normalized, options.charts)):
        rendered += _attempt(_helm(chart, options, sources))
    return rendered


def _attempt(rendering: Iterator[Manifests]) -> list[Manifests]:
    """The manifests of one folder, or its problem."""
    try:
        return list(rendering)
    except BadInput as problem:
        return [Manifests((), (problem,))]


def _kustomize(folder: str, sources: Sources) -> Iterator[Manifests]:
    file = file_in(folder)
    if file is None:
        what = f"no {KUSTOMIZATIONS[0]} in this folder" if os.path.isdir(folder) else "no such folder"
        raise BadInput(what, remedy="Name a folder with a kustomization after -k.", source=shown(folder))
    redaction = Redaction()
    resources: list[str] = []
    patches: list[str] = []
    for kustomization in reachable(folder):
        redaction.add_kustomization(kustomization)
        sources.rendered_folders.add(os.path.realpath(kustomization.folder))
        resources += map(kustomization.located, kustomization.resources)
        patches += map(kustomization.located, reversed(kustomization.patches))
    command = [*_kustomize_command(), _operand(folder)]
    output = _run(command, shown(file), redaction)
    sources.rendering_notes.append(_note(f"{shown(file)}{SUFFIX}", command))
    files = [path for path in resources if os.path.isfile(path)]
    sources.parts[f"{shown(file)}{SUFFIX}"] = Parts(tuple(files), tuple(patches))
    yield _read(f"{shown(file)}{SUFFIX}", shown(file), output, sources)


def _kustomize_command() -> list[str]:
    if which("kustomize"):
        return ["kustomize", "build"]
    if which("kubectl"):
        return ["kubectl", "kustomize"]
    raise Misconfigured("-k needs kustomize or kubectl", remedy="Install one of them, and put it on PATH.")


def _helm(chart: str, options: RenderOptions, sources: Sources) -> Iterator[Manifests]:
    file = chart if os.path.isfile(chart) else f"{chart.rstrip('/')}/Chart.yaml".removeprefix("./")
    if not os.path.isfile(file):
        what = "no Chart.yaml in this folder" if os.path.isdir(chart) else "no such chart"
        remedy = "Name the folder of a chart. Render a chart from a registry yourself: helm template ... | migratable check -"
        raise BadInput(what, remedy=remedy, source=shown(chart))
    if which("helm") is None:
        raise Misconfigured("--helm needs helm", remedy="Install helm, and put it on PATH.")
    redaction = Redaction()
    redaction.add_values([*options.values, *([f"{chart}/values.yaml"] if chart != file else [])])
    redaction.add_settings(options.settings)
    command = ["helm", "template", _operand(chart)]
    for name in options.values:
        command += ["--values", name]
    hidden = [*command, *(word for item in options.settings for word in ("--set", f"{item.partition('=')[0]}=***"))]
    command += [word for item in options.settings for word in ("--set", item)]
    output = _run(command, shown(file), redaction)
    sources.rendered_folders.add(os.path.realpath(chart))
    names = dict(_templates(chart, file, output))
    sources.rendering_notes.append(_note(f"{shown(chart)}/...{SUFFIX}", hidden))
    for name, (place, text) in names.items():
        if place == name:
            sources.parts[f"{shown(name)}{SUFFIX}"] = Parts(template=name)
        yield _read(f"{shown(name)}{SUFFIX}", shown(place), text, sources)


def _templates(chart: str, file: str, output: bytes) -> Iterator[tuple[str, tuple[str, bytes]]]:
    """
    Yields the name of each template, the file to report for it, and the part of the output that it rendered.

    The lines of other templates are blank, so that line numbers refer to the whole output. The source of a template begins
    with the name of the chart, which can differ from the name of the chart's folder.
    """
    parts: dict[str, list[bytes]] = {}
    lines: dict[str, int] = {}
    starts = [*_SOURCE.finditer(output)]
    if not starts:
        yield file, (file, output)
        return
    line = output.count(b"\n", 0, starts[0].start())
    for start, end in zip(starts, [*(match.start() for match in starts[1:]), len(output)], strict=True):
        part = output[start.start() : end]
        source = start[1].decode(errors="replace").partition("/")[2]
        parts.setdefault(source, []).append(b"\n" * (line - lines.get(source, 0)) + part)
        line += part.count(b"\n")
        lines[source] = line
    for source, texts in parts.items():
        name = f"{chart}/{source}".removeprefix("./")
        yield name, (name if os.path.isfile(name) else file, b"".join(texts))


def _operand(path: str) -> str:
    """The path as a word that is not read as an option."""
    return f"./{path}" if path.startswith("-") else path


def _note(name: str, command: Sequence[str]) -> str:
    return f"{name} is the output of `{shown(join(command))}`. Line numbers refer to this output"


def _read(name: str, place: str, content: bytes, sources: Sources) -> Manifests:
    if not content.strip():
        return unreadable(place, "the rendered output is empty", "Check the values and the resources.")
    sources.texts[name] = content
    sources.rendered[name] = place
    return read_manifests(content, name, most_bytes=MAX_STREAM_BYTES)


def _run(command: Sequence[str], source: str, redaction: Redaction) -> bytes:
    """
    Runs a program, and returns its output. Raises BadInput with the first lines of the program's error message. Environment
    variables prevent git from using the network for the program.
    """
    tool = " ".join(command[:2])
    settings = os.environ | {"GIT_ALLOW_PROTOCOL": "file", "GIT_TERMINAL_PROMPT": "0"}
    with subprocess.Popen(  # noqa: S603 - the user named the folder
        command,
        env=settings,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            output, errors = process.communicate(timeout=MAX_SECONDS)
        except subprocess.TimeoutExpired:
            _end(process)
            remedy = "Render it yourself, and pass the output: ... | migratable check -"
            raise BadInput(f"{tool} took more than {MAX_SECONDS} s", remedy=remedy, source=source) from None
        except BaseException:
            _end(process)
            raise
    if process.returncode:
        said = _first_lines(redaction.applied(_message(errors.decode(errors="replace"))))
        remedy = _remedy(said, command[-1])
        raise BadInput(f"{tool} failed: {said or f'status {process.returncode}'}", remedy=remedy, source=source)
    if len(output) > MAX_STREAM_BYTES:
        raise BadInput(
            f"the rendered output is larger than {MAX_STREAM_BYTES // 2**20} MiB",
            remedy="Render fewer objects.",
            source=source,
        )
    return output


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ends the program and the programs that it started."""
    os.killpg(process.pid, signal.SIGKILL)


def _message(errors: str) -> str:
    """The error message, without the prefix of kubectl's log lines (klog's text format)."""
    found = _KLOG.search(errors)
    if found is None:
        return errors
    return found["lines"] or found["line"].replace('\\"', '"').replace("\\n", "\n")


def _first_lines(text: str) -> str:
    """The first lines of an error message, as one line."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith(_HINTS)]
    return " ".join(lines[:_MAX_LINES]).removeprefix("Error: ").removeprefix("error: ").rstrip(".")


def _remedy(said: str, folder: str) -> str:
    """``folder`` is the last word of the command: the folder of a kustomization, or the chart without values."""
    if "missing in charts/ directory" in said:
        return "Run `helm dependency build` for the chart."
    for message, flags in _FLAGS.items():
        if message in said:
            return f"Render it yourself: kustomize build {flags} {quote(folder)} | migratable check -"
    return "Correct the folder or the values."
