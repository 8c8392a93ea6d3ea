"""
Writes a new rule with examples, and registers it: `make rule NAME=disk-too-slow FAMILY=storage`.

The new rule reports VMs with a made-up node label. Its checks pass, so that each later change shows what it breaks.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from webhook.rules.chosen import ChosenRules, rule_of
from webhook.rules.machines import MANIFEST_RULES, VMI_RULES
from webhook.rules.register import RULES

ROOT: Final = Path(__file__).resolve().parents[1]
FAMILIES: Final = {"network": "1", "storage": "2", "devices": "3", "cpu": "4", "eviction": "5", "manifest": "8"}
"""The folder of each family that has a template, with the first digit of its ids."""
VMI_TEMPLATE: Final = '''"""Say in one sentence what KubeVirt does."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Severity, Violation

LABEL = "example.com/%(name)s"


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    value = (facts.spec.node_selector or {}).get(LABEL)
    if value is not None:
        yield Violation(
            facts.at("nodeSelector", LABEL),
            f"nodeSelector {LABEL} is {value!r}, so a live migration can fail",
            f"nodeSelector {LABEL}",
        )


RULE = Rule(
    id="%(id)s",
    name="%(name)s",
    about=About.VMI,
    severity=Severity.WARNING,
    summary="Say in one sentence which VMs have the problem.",
    rationale="Say why a live migration of such a VM fails.",
    remediation="Write the YAML that corrects the problem.",
    source="pkg/virt-handler/vm.go, v1.9.0: name the function",
    reference=MIGRATION_GUIDE,
    check=check,
    examples=(
        Example("no nodeSelector", "{domain: {devices: {}}}"),
        Example("an empty nodeSelector", "{domain: {devices: {}}, nodeSelector: {}}"),
        Example("another label", "{domain: {devices: {}}, nodeSelector: {topology.kubernetes.io/zone: a}}"),
        Example(
            "the label",
            f"{{domain: {{devices: {{}}}}, nodeSelector: {{{LABEL}: a}}}}",
            violates=(f"nodeSelector[{LABEL}]",),
        ),
        Example(
            "the label without a value",
            f"{{domain: {{devices: {{}}}}, nodeSelector: {{{LABEL}: ''}}}}",
            violates=(f"nodeSelector[{LABEL}]",),
        ),
        Example(
            "the label among others",
            f"{{domain: {{devices: {{}}}}, nodeSelector: {{topology.kubernetes.io/zone: a, {LABEL}: a}}}}",
            violates=(f"nodeSelector[{LABEL}]",),
        ),
    ),
)
'''
MANIFEST_TEMPLATE: Final = '''"""Say in one sentence what the API server does."""

from collections.abc import Iterator

from webhook.facts.manifest import ManifestFacts
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Severity, Violation

NAME = "%(name)s"
_VM = "{{apiVersion: kubevirt.io/v1, kind: VirtualMachine, metadata: {{name: {}}}, spec: {{}}}}"


def check(facts: ManifestFacts) -> Iterator[Outcome]:
    name = facts.metadata.get("name")
    if isinstance(name, str) and NAME in name:
        yield Violation(("metadata", "name"), f"name {name!r} contains {NAME}", f"name {name}")


RULE = Rule(
    id="%(id)s",
    name="%(name)s",
    about=About.MANIFEST,
    severity=Severity.WARNING,
    summary="Say in one sentence which manifests have the problem.",
    rationale="Say what the API server does with such a manifest.",
    remediation="Write the YAML that corrects the problem.",
    source="staging/src/kubevirt.io/api/core/v1/types.go, v1.9.0",
    reference=MIGRATION_GUIDE,
    check=check,
    examples=(
        Example("another name", _VM.format("web")),
        Example("no name", "{apiVersion: kubevirt.io/v1, kind: VirtualMachine, metadata: {}, spec: {}}"),
        Example("a placeholder as name", _VM.format("'${NAME}'")),
        Example("the name", _VM.format(NAME), violates=("metadata.name",)),
        Example("the start of a name", _VM.format(f"{NAME}-1"), violates=("metadata.name",)),
        Example("the end of a name", _VM.format(f"web-{NAME}"), violates=("metadata.name",)),
    ),
)
'''
NEXT: Final = """\
{path}: {id} {name}, registered in {register}

1. Replace the check, the texts and the examples. Keep three accepted and three rejected examples.{needs}
2. Run `.venv/bin/python -m pytest tests/rules -q -k {id}`.
3. Run `make docs`, which writes docs/rules/{id}.md.
4. Run `make check` and `make test`.
"""
NEEDS: Final = """
   If few VMs have the part of a VM that the rule reads, name the part (webhook/facts/features.py) in {register} instead of
   `Feature.ANY`."""


class Refused(Exception):
    """The rule cannot be written. The message names the reason and what to write instead."""


def write(name: str, family: str) -> str:
    """Writes and registers the rule, and returns the next steps."""
    if re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name) is None:
        raise Refused(f"invalid name {name!r}. Write lower-case words with dashes between them, such as disk-too-slow.")
    module = name.replace("-", "_")
    path = ROOT / "webhook" / "rules" / family / f"{module}.py"
    if path.exists() or any(rule.name == name for rule in RULES):
        raise Refused(f"rule {name} exists already. Choose another name.")
    number = next_id(FAMILIES[family])
    template = MANIFEST_TEMPLATE if family == "manifest" else VMI_TEMPLATE
    path.write_text(template % {"id": number, "name": name}, encoding="utf-8")
    register = ROOT / "webhook" / "rules" / "machines.py"
    rules, variable = (MANIFEST_RULES, "MANIFEST_RULES") if family == "manifest" else (VMI_RULES, "VMI_RULES")
    text = register.read_text(encoding="utf-8")
    register.write_text(with_entry(text, variable, rules, f"{family}.{module}", number), encoding="utf-8")
    tidy(path)
    places = (path.relative_to(ROOT), register.relative_to(ROOT))
    needs = NEEDS.format(register=places[1]) if family != "manifest" else ""
    return NEXT.format(path=places[0], register=places[1], id=number, name=name, needs=needs)


def next_id(digit: str) -> str:
    """The id after the highest one of the family. Ids of retired rules are never used again."""
    highest = max(int(rule.id[2:]) for rule in RULES if rule.id[2] == digit)
    if highest % 100 == 99:
        raise Refused(f"family {digit} has no id left. Choose another family.")
    return f"LM{highest + 1}"


def with_entry(text: str, variable: str, rules: ChosenRules, module: str, number: str) -> str:
    """The text of a register whose table has the rule after those with a lower id."""
    start = text.index(f"\n{variable}: ")
    before = [known for known in rules.needs if rule_of(known).id < number]
    anchor = f'        "{before[-1]}": ' if before else "    {"
    end = text.index("\n", text.index(anchor, start))
    return f'{text[:end]}\n        "{module}": Feature.ANY,{text[end:]}'


def tidy(*paths: Path) -> None:
    """Formats the files and sorts their imports."""
    for command in (["check", "--quiet", "--select", "I", "--fix"], ["format", "--quiet"]):
        subprocess.run([sys.executable, "-m", "ruff", *command, *map(str, paths)], check=True, cwd=ROOT)  # noqa: S603 - fixed arguments


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line."""
    parser = argparse.ArgumentParser(prog="make rule", description="Writes a new rule with examples, and registers it.")
    parser.add_argument("name", help="the name of the rule, such as disk-too-slow")
    parser.add_argument("family", choices=FAMILIES, help="the folder of the rule in webhook/rules")
    options = parser.parse_args(arguments)
    try:
        sys.stdout.write(write(options.name, options.family))
    except Refused as refused:
        sys.stderr.write(f"error: {refused}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
