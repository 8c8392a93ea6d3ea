"""The sections of the site and their pages. A page of the repository that is in no section fails the build."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Section:
    """A page of its own that lists other pages, given by their path in the repository."""

    name: str
    title: str
    about: str
    pages: tuple[str, ...]


SECTIONS = (
    Section(
        "start",
        "Start",
        "Learn what live migration is, and check the first VM.",
        (
            "docs/live-migration.md",
            "docs/five-minutes.md",
            "docs/tenants.md",
            "docs/kind.md",
            "docs/problems.md",
            "docs/faq.md",
            "docs/comparison.md",
            "docs/glossary.md",
        ),
    ),
    Section(
        "manifests",
        "Check manifests",
        "Check manifests by hand and in CI, and choose migration settings.",
        (
            "docs/ci.md",
            "docs/settings.md",
            "docs/strategies.md",
            "examples/README.md",
        ),
    ),
    Section(
        "operate",
        "Operate",
        "Install the webhook, audit what runs, decide what is denied, and rehearse node drains.",
        (
            "docs/install.md",
            "deploy/helm/migratable/README.md",
            "docs/policy.md",
            "docs/backstop.md",
            "docs/audit.md",
            "docs/enforce.md",
            "docs/before-you-drain.md",
            "docs/reports.md",
            "docs/operations.md",
            "docs/metrics.md",
            "docs/rotation.md",
            "docs/sizing.md",
            "docs/troubleshooting.md",
            "SECURITY.md",
        ),
    ),
    Section(
        "reference",
        "Reference",
        "Look up a rule, a KubeVirt release, a command or a field.",
        (
            "docs/rules/README.md",
            "docs/releases.md",
            "docs/cli.md",
            "docs/api.md",
        ),
    ),
    Section(
        "project",
        "Project",
        "Read what has changed, what the limits are, and how to change the code.",
        (
            "CHANGELOG.md",
            "docs/release.md",
            "docs/critiques.md",
            "docs/reliability.md",
            "benchmarks/README.md",
            "docs/architecture.md",
            "docs/page.md",
            "docs/decisions/README.md",
            "CONTRIBUTING.md",
            "GOVERNANCE.md",
            "ROADMAP.md",
            "SUPPORT.md",
            "CODE_OF_CONDUCT.md",
            "changes/README.md",
            "tests/apiserver/README.md",
        ),
    ),
)
"""In the order of the navigation."""

INDEXES = ("docs/rules/README.md", "docs/decisions/README.md")
"""Pages that also list the other pages of their folder."""


def pages(root: Path) -> list[str]:
    """Each page of the site: those of the sections, and all of ``docs``."""
    listed = {page for section in SECTIONS for page in section.pages}
    below = {path.relative_to(root).as_posix() for path in (root / "docs").rglob("*.md")}
    return sorted(listed | below | {"README.md"})


def toctree(entries: list[str], *, hidden: bool) -> str:
    """The directive of Sphinx that puts pages into the navigation."""
    options = ":hidden:\n" if hidden else ":maxdepth: 1\n"
    return f"```{{toctree}}\n{options}\n" + "".join(f"/{entry}\n" for entry in entries) + "```\n"
