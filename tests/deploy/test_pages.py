"""docs/install.md and docs/operations.md name things that exist."""

import re
import shlex

import pytest
import yaml

from tests.deploy.charts import CHART, helm, refusal
from tests.deploy.manifests import DEPLOY, KUSTOMIZE

ROOT = DEPLOY.parent
INSTALL = (ROOT / "docs" / "install.md").read_text()
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
RULES = [KUSTOMIZE / "components" / name / "prometheusrule.yaml" for name in ("monitoring", "audit-monitoring")]
HOOKS = KUSTOMIZE / "base" / "webhooks"


def settings() -> list[str]:
    """Each `key=value` that the page gives to the chart, and each file of values."""
    table = INSTALL.partition("## Choices")[2].partition("\n## ")[0]
    rows = [cells.split("|")[2] for cells in table.splitlines() if cells.startswith("| ")][2:]
    told = [value for row in rows for value in re.findall(r"`([^`]+)`", row)]
    return told + re.findall(r"--set ([a-zA-Z.]+=[a-z]+)", INSTALL + OPERATIONS)


@pytest.mark.helm
@pytest.mark.parametrize("setting", sorted(set(settings())))
def test_the_chart_accepts_the_settings_of_the_pages(setting: str) -> None:
    """
    Each by itself, in mode enforce.
    """
    flags = shlex.split(setting) if setting.startswith("-f ") else ["--set", setting]

    done = helm("template", "migratable", str(CHART), *[flag.replace("deploy/", f"{DEPLOY}/", 1) for flag in flags])

    assert done.returncode == 0, done.stderr


def test_the_page_names_every_component() -> None:
    """
    And no other.
    """
    table = INSTALL.partition("## Choices")[2].partition("\n## ")[0]
    last_cells = [cells.rsplit("|", 2)[1] for cells in table.splitlines() if cells.startswith("| ")][2:]
    named = {re.findall(r"`([^`]+)`", cell)[0] for cell in last_cells}

    assert named == {path.name for path in (KUSTOMIZE / "components").iterdir()}


def test_every_alert_has_its_section() -> None:
    """
    The section describes what to do.
    """
    groups = [group for file in RULES for group in yaml.safe_load(file.read_text())["spec"]["groups"]]
    alerts = [rule["alert"] for group in groups for rule in group["rules"]]

    told = re.findall(r"^### (Migratable\w+)$", OPERATIONS, re.MULTILINE)

    assert sorted(told) == sorted(alerts)


def test_the_page_names_every_kind_that_may_be_refused() -> None:
    """
    The list of what is never blocked names all others by naming these.
    """
    kinds = yaml.safe_load((HOOKS / "validating.yaml").read_text())["webhooks"]
    resources = {
        resource.partition("/")[0] for hook in kinds for rule in hook["rules"] for resource in rule["resources"]
    }
    said = re.split(r",\s+for example", OPERATIONS.partition("All requests for kinds other than ")[2])[0]
    named = re.split(r",\s+|\s+or\s+", said)

    assert len(named) == len(resources)
    assert {re.sub(r"y$", "ie", kind).lower() + "s" for kind in named} == {kind.replace("-", "") for kind in resources}


def test_files_that_the_pages_name_are_there() -> None:
    """
    Below deploy, docs and tests.
    """
    named = set(re.findall(r"\b((?:deploy|tests|requirements)/[\w./-]*)", INSTALL + OPERATIONS))

    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


@pytest.mark.helm
def test_an_install_without_an_image_fails_with_one_line() -> None:
    """
    It names the value to set. The chart cannot know the registry.
    """
    lines = refusal({"image": {"repository": ""}}).strip().splitlines()

    assert [line.partition(": image.repository")[2][:12] for line in lines if line.startswith("Error")] == [
        " is not set."
    ]
    assert "--set image.repository=REGISTRY/migratable" in lines[0]


def test_every_install_line_of_the_pages_begins_with_mode_audit() -> None:
    """
    The mode is the first value, and the image is the last. kind.md installs into an empty cluster, and denies at once.
    """
    docs = [page for page in (DEPLOY.parent / "docs").rglob("*.md") if page.name != "kind.md"]
    pages = [*docs, DEPLOY.parent / "README.md", CHART / "README.md"]
    texts = [page.read_text().replace("\\\n", " ") for page in pages]
    lines = [line for text in texts for line in text.splitlines() if re.match(r" *helm install ", line)]

    assert len(lines) == 4
    for line in lines:
        values = re.findall(r"--set (\S+)=(\S+)", line)
        assert (values[0], values[-1][0]) == (("mode", "audit"), "image.repository")
