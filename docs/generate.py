"""
Writes the generated pages: ``docs/rules/*.md``, their index, ``docs/releases.md``, the references of the commands and
of the API, manual page, schemas, pictures and transcripts.

Run it after a change of a rule or of the release table: ``python docs/generate.py``. With ``--check`` it writes nothing,
names the files that differ, and exits 1 if there are any.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import msgspec

from webhook.report import as_json, pages, releases_page
from webhook.report.audited import AuditReport
from webhook.report.drain import drain_json, vm_json
from webhook.rules.register import RULES

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS.parent))  # run as a script, Python looks for modules beside it only

from docs.changelog import updated  # noqa: E402
from docs.drawing import drawn  # noqa: E402
from docs.references import api_page, cli_page  # noqa: E402
from docs.transcripts import renewed  # noqa: E402
from webhook.__main__ import program  # noqa: E402
from webhook.surfaces.api.app import build_api  # noqa: E402
from webhook.surfaces.cli import configuration, manual  # noqa: E402

TELLING = (
    "../README.md",
    "five-minutes.md",
    "strategies.md",
    "before-you-drain.md",
    "live-migration.md",
    "tenants.md",
    "faq.md",
)
"""Pages that show what commands print."""
CHANGELOG = "../CHANGELOG.md"
PARTLY = (*TELLING, CHANGELOG)
"""Pages of which only parts are generated."""


def generated() -> dict[str, str]:
    """The text of each generated file, by its path below ``docs``."""
    files = {f"rules/{rule.id}.md": pages.page(rule) for rule in RULES}
    files |= {"rules/README.md": pages.index(RULES), "releases.md": releases_page.page(RULES)}
    files |= {"man/migratable.1": manual.page(program()), "cli.md": cli_page(program())}
    files |= {"api.md": api_page(build_api(_no_terms, [], ""))}
    files |= {f"schemas/{name}.json": text for name, text in schemas().items()}
    files |= drawn()
    files |= {name: renewed(text) for name in TELLING if (text := _read(DOCS / name)) is not None}
    changelog = (DOCS / CHANGELOG).read_text(encoding="utf-8")
    return files | {CHANGELOG: updated(changelog, DOCS.parent / "changes")}


def schemas() -> dict[str, str]:
    """The shapes that are promised: the answers (``migratable/v1``) and the configuration file, for editors."""
    shapes = {
        "report": as_json.schema(),
        "audit-report": as_json.schema(AuditReport),
        "drain-report": drain_json.schema(),
        "vm-explanation": vm_json.schema(),
        "migratable.yaml": msgspec.json.schema(configuration.Config),
    }
    return {
        name: msgspec.json.format(msgspec.json.encode(shape), indent=2).decode() + "\n"
        for name, shape in shapes.items()
    }


def stale(folder: Path) -> list[str]:
    """The generated files that are missing or differ, and the pages of rules that do not exist."""
    files = generated()
    differing = [name for name, text in files.items() if _read(folder / name) != text]
    orphans = [f"rules/{path.name}" for path in sorted((folder / "rules").glob("*.md"))]
    return differing + [name for name in orphans if name not in files]


def write(folder: Path) -> list[str]:
    """Brings the folder up to date and returns what had to change; only pages that say they are generated are removed."""
    changed = stale(folder)
    files = generated()
    for name in changed:
        path = folder / name
        if name in files:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files[name], encoding="utf-8")
        elif (_read(path) or "").startswith(pages.GENERATED):
            path.unlink()
    return changed


def _no_terms() -> NoReturn:
    raise NotImplementedError  # the API is only described


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 1 if ``--check`` found a file that differs."""
    parser = argparse.ArgumentParser(description="Writes the pages that are made from the rules.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file differs")
    parser.add_argument("--folder", type=Path, default=DOCS, help="where the pages are (default: docs)")
    options = parser.parse_args(arguments)
    names = stale(options.folder) if options.check else write(options.folder)
    for name in names:
        sys.stdout.write(f"{name} {'is not up to date' if options.check else 'written'}\n")
    if options.check and names:
        sys.stdout.write("Run: python docs/generate.py\n")
    return 1 if options.check and names else 0


if __name__ == "__main__":
    sys.exit(main())
