"""The page "My VM cannot be live-migrated: what now?" names every reason, and only rules that exist."""

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from webhook.check.check import Settings, check
from webhook.kubevirt.releases import Reason
from webhook.manifests.objects import read_manifests
from webhook.rules.register import BY_ID, RULES
from webhook.yaml.document import read_documents
from webhook.yaml.writer import dump

PAGE = Path(__file__).parents[2] / "docs" / "problems.md"
EVICTIONS = PAGE.parents[1] / "tests" / "data" / "evictions"
OTHER_REASONS = {"NotMigratable", "HotplugNotLiveMigratable", "DecentralizedNotLiveMigratable"}
"""Words that KubeVirt's code contains, and that are no reason of LiveMigratable."""


class Row(NamedTuple):
    cells: list[str]
    rules: list[str]


def rows(section: str) -> Iterator[Row]:
    """The rows of the tables below a heading."""
    for line in PAGE.read_text().partition(f"## {section}\n")[2].split("\n## ")[0].splitlines():
        if line.startswith("| ") and not line.startswith(("| ---", "| reason", "| symptom")):
            yield Row([cell.strip() for cell in line.strip()[1:-1].split("|")], re.findall(r"\[(LM\d+)\]", line))


SYMPTOMS = [*rows("By symptom")]
REASONS = {row.cells[0].strip("`"): row for row in rows("By the reason of the condition")}
EXAMPLES = {
    "LM101": "{domain: {devices: {interfaces: [{name: default, bridge: {}}]}}, networks: [{name: default, pod: {}}]}",
    "LM102": "{domain: {devices: {interfaces: [{name: default, slirp: {}}]}}, networks: [{name: default, pod: {}}]}",
    "LM104": "{domain: {devices: {interfaces: [{name: red, bridge: {}}]}},"
    " networks: [{name: default, pod: {}}, {name: red, multus: {networkName: red}}]}",
    "LM103": "{domain: {devices: {interfaces: [{name: default, masquerade: {}, ports: [{port: 49152}]}]}},"
    " networks: [{name: default, pod: {}}]}",
    "LM202": "{domain: {devices: {}}, volumes: [{name: h, hostDisk: {path: /d/x.img, type: Disk}}]}",
    "LM301": "{domain: {devices: {hostDevices: [{name: d, deviceName: example.com/d}]}}}",
    "LM507": "{domain: {devices: {}}, nodeSelector: {kubernetes.io/hostname: node01}}",
    "LM207": "{domain: {devices: {disks: [{name: d, disk: {}, cache: writeback}]}},"
    " volumes: [{name: d, persistentVolumeClaim: {claimName: c}}]}",
    "LM615": "configuration: {migrations: {bandwidthPerMigration: 1Mi}}",
    "LM607": 'configuration: {migrations: {bandwidthPerMigration: "64"}}',
    "LM609": "configuration: {migrations: {parallelMigrationsPerCluster: 0}}",
    "LM614": "configuration: {migrations: {progressTimeout: -1}}",
    "LM617": "configuration: {migrations: {allowPostCopy: true, allowWorkloadDisruption: false}}",
    "LM602": "configuration: {migrations: {completionTimeoutPerGib: 150}}",
    "LM604": "configuration: {liveMigrationConfig: {parallelMigrationsPerCluster: 1}}",
    "LM628": "configuration: {network: {defaultNetworkInterface: Masquerade}}",
    "LM621": "configuration: {developerConfiguration: {featureGates: [VSOCKS, LiveMigrations]}}",
    "LM501": "{evictionStrategy: LiveMigrate, domain: {devices: {interfaces: [{name: default, bridge: {}}]}},"
    " networks: [{name: default, pod: {}}]}",
    "LM504": "{evictionStrategy: LiveMigrateIfPossible, domain: {devices: {interfaces: [{name: default, bridge: {}}]}},"
    " networks: [{name: default, pod: {}}]}",
    "LM503": "{evictionStrategy: External, domain: {devices: {}}}",
    "LM627": "configuration: {vmRolloutStrategy: LiveUpdate}",
}
"""For symptoms that a part of the spec shows, of a VMI or of the KubeVirt CR: the part, by the rule of the symptom."""


def test_every_reason_of_kubevirt_has_its_rules() -> None:
    """
    The reasons are written as KubeVirt writes them, with exactly the rules for which KubeVirt sets them.
    """
    assert set(REASONS) == {reason.value for reason in Reason} | OTHER_REASONS
    for reason in Reason:
        assert REASONS[reason.value].rules == [rule.id for rule in RULES if rule.reason is reason]


def test_the_page_answers_forty_problems_with_rules_that_exist() -> None:
    """
    Each symptom names one rule and says what to do. The links lead to the page of the same rule.
    """
    assert len(SYMPTOMS) >= 40
    assert all(len(row.cells) == 3 and len(row.rules) == 1 and row.cells[1] for row in SYMPTOMS)
    for rule, target in re.findall(r"\[(LM\d+)\]\(([^)]*)\)", PAGE.read_text()):
        assert rule in BY_ID
        assert (PAGE.parent / target).name == f"{rule}.md"
        assert (PAGE.parent / target).exists()


@pytest.mark.parametrize(("rule", "spec"), EXAMPLES.items(), ids=EXAMPLES)
def test_the_rule_of_a_symptom_finds_its_example(rule: str, spec: str) -> None:
    """
    The rule is on the page.
    """
    is_cr = spec.startswith(("configuration", "workloadUpdateStrategy"))
    value: Any = read_documents(spec.encode(), "example")[0].value
    whole = {"apiVersion": "kubevirt.io/v1", "kind": "KubeVirt" if is_cr else "VirtualMachineInstance"}
    whole |= {"metadata": {"name": "example", "namespace": "kubevirt"}, "spec": value}
    report = check([read_manifests(dump(whole).encode(), "example.yaml")], Settings())

    found = {finding.rule for judged in report.objects for finding in judged.findings}
    assert rule in found
    assert [rule] in [row.rules for row in SYMPTOMS]


def recorded_messages() -> set[str]:
    """The messages with which KubeVirt refused evictions (tests/data/evictions)."""
    lines = (line for path in EVICTIONS.glob("v*.jsonl.gz") for line in gzip.decompress(path.read_bytes()).splitlines())
    answers = (json.loads(line)["expected"] for line in lines)
    return {str(answer["message"]) for answer in answers if answer.get("message")}


def test_the_messages_of_a_drain_are_those_of_kubevirt() -> None:
    """
    The page has each message of KubeVirt's eviction webhook, except those about a failed read or write.
    """
    section = PAGE.read_text().partition("## By the message of kubectl drain")[2].partition("\n## ")[0]
    shown = [message.replace(" …", "") for message in re.findall(r"`([A-Zc][^`]+)`", section)]
    patterns = [re.compile(re.sub(r"NAMESPACE|NAME|POD", r"[\\w-]+", re.escape(message))) for message in shown]
    answers = {message for message in recorded_messages() if not message.startswith("kubevirt failed")}

    assert [answer for answer in answers if not any(pattern.match(answer) for pattern in patterns)] == []


def test_readme_and_index_link_to_the_page() -> None:
    """
    A reader who starts at the README finds the page.
    """
    assert "docs/problems.md" in (PAGE.parents[1] / "README.md").read_text()
