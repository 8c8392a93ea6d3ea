"""The sections of the site and their pages. A page of the repository that is in no section fails the build."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Section:
    """A page of its own that lists other pages."""

    name: str
    title: str
    about: str
    entries: Mapping[str, str]
    """The content of each page, by its path in the repository."""

    @property
    def pages(self) -> tuple[str, ...]:
        """The paths of the pages, in the order of the navigation."""
        return tuple(self.entries)


SECTIONS = (
    Section(
        "start",
        "Start",
        "Learn what live migration is, and check the first VM.",
        {
            "docs/live-migration.md": "How a VM moves, and what ties it to its node, in pictures.",
            "docs/five-minutes.md": "Serve the page, and check a manifest, without a cluster.",
            "docs/tenants.md": "Your VM was refused, or you want to check it before you apply it.",
            "docs/problems.md": "From the reason or the symptom to the remedy.",
            "docs/kind.md": "KubeVirt and the webhook in a cluster on your computer.",
            "docs/faq.md": "Short answers.",
            "docs/comparison.md": "Kyverno, Gatekeeper and ValidatingAdmissionPolicy, and what each needs for the same check.",
            "docs/glossary.md": "The terms of KubeVirt and of Migratable.",
        },
    ),
    Section(
        "manifests",
        "Check manifests",
        "Check manifests by hand and in CI, and choose migration settings.",
        {
            "docs/ci.md": "A walk from an unchecked repository to a green job, and all options.",
            "docs/settings.md": "Each setting of the KubeVirt CR and of MigrationPolicies, with its rules.",
            "docs/strategies.md": "Which strategy a busy guest needs, and how long a migration takes.",
            "examples/README.md": "The files that the pages check.",
        },
    ),
    Section(
        "operate",
        "Operate",
        "Install the webhook, audit what runs, decide what is denied, and rehearse node drains.",
        {
            "docs/before-you-drain.md": "Which VMs of a node move, block, stop or wait, before the maintenance.",
            "docs/audit.md": "The verdict on each VM that runs today.",
            "docs/fleet.md": "VMs, drains of nodes, and MigrationPolicies as pages in a browser.",
            "docs/install.md": "The webhook with Helm or kustomize, in steps.",
            "docs/enforce.md": "A day-by-day plan from findings to denials.",
            "docs/policy.md": "Actions of rules, and exemptions.",
            "docs/backstop.md": "Rules in the API server itself, while no webhook answers.",
            "docs/operations.md": "Logs, alerts, and the emergency stop.",
            "docs/metrics.md": "Metrics for Prometheus, and dashboards.",
            "docs/reports.md": "Findings as objects of the cluster.",
            "docs/rotation.md": "How certificates are renewed without an interruption.",
            "docs/sizing.md": "CPU, memory and replicas.",
            "docs/troubleshooting.md": "Migratable itself does not do what you expect.",
            "deploy/helm/migratable/README.md": "The page of the chart, as registries show it.",
            "SECURITY.md": "The security model, and each attack with its defence.",
        },
    ),
    Section(
        "reference",
        "Reference",
        "Look up a rule, a KubeVirt release, a command or a field.",
        {
            "docs/rules/README.md": "Each rule with its cause, its remedy and examples.",
            "docs/releases.md": "Changes of KubeVirt between releases, as far as they concern live migration.",
            "docs/cli.md": "Each command with its options.",
            "docs/api.md": "Each operation and schema of the dry-run API.",
        },
    ),
    Section(
        "project",
        "Project",
        "Read what has changed, what the limits are, and how to change the code.",
        {
            "CHANGELOG.md": "Additions, changes and fixes of each version.",
            "docs/release.md": "How a release is built, and which versions are supported.",
            "docs/critiques.md": "Tasks that Migratable does not do, or does not do well.",
            "docs/reliability.md": "Goals and measurements for the webhook.",
            "benchmarks/README.md": "Measurements beside other programs.",
            "docs/architecture.md": "The parts of the program, and the way of a verdict.",
            "docs/page.md": "Colours, sizes, states and words of the HTML pages.",
            "docs/decisions/README.md": "Choices that are hard to reverse, with their reasons.",
            "CONTRIBUTING.md": "Your first change, and your first rule.",
            "GOVERNANCE.md": "How decisions are made.",
            "ROADMAP.md": "The next steps.",
            "SUPPORT.md": "Where to ask, and which versions get fixes.",
            "CODE_OF_CONDUCT.md": "How we treat each other.",
            "changes/README.md": "How to write an entry of the changelog.",
            "tests/apiserver/README.md": "The test bench with a real API server.",
        },
    ),
)
"""In the order of the navigation."""

TITLES = {"deploy/helm/migratable/README.md": "The Helm chart"}
"""Titles in the navigation, for pages whose own title needs its context."""

INDEXES = ("docs/rules/README.md", "docs/decisions/README.md")
"""Pages that also list the other pages of their folder."""


def pages(root: Path) -> list[str]:
    """Each page of the site: those of the sections, and all of ``docs``."""
    listed = {page for section in SECTIONS for page in section.pages}
    below = {path.relative_to(root).as_posix() for path in (root / "docs").rglob("*.md")}
    return sorted(listed | below | {"README.md"})


def toctree(entries: Iterable[str]) -> str:
    """The directive of Sphinx that puts pages into the navigation. An entry may be `Title </page>`."""
    return "```{toctree}\n:hidden:\n\n" + "".join(f"{entry}\n" for entry in entries) + "```\n"
