"""The glossary names every public term of facts, policy, report and the state of the pages for operators."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text()
PUBLIC = [
    *(ROOT / "webhook" / "facts").glob("*.py"),
    *(ROOT / "webhook" / "policy").glob("*.py"),
    ROOT / "webhook" / "report" / "model.py",
    ROOT / "webhook" / "console" / "state.py",
]
EXCLUDED = {
    "Fault",  # parts of larger facts, which no message and no page names
    "Judge",
    "LabelledVM",
    "Selection",
    "LiveChangeFacts",
    "ManifestFacts",
    "Neighbour",
    "Nodes",
    "PolicySubject",
    "DrainFeature",
    "ManifestFeature",
    "TargetFeature",
    "UnknownField",
    "InvalidQuantity",
    "PatchedProblem",
    "InvalidValue",
    "UnknownValue",
    "Taken",
    "WinningPolicy",
    "LayeredWorld",  # implementations of World, and what one of them is made with
    "ObjectsWorld",
    "RestrictedWorld",
    "ReadPermissions",
    "VM",  # a row of a list, and the last rehearsals
    "Drains",
    "Candidate",
    "Candidates",
    "CandidateLists",
    "Tie",
    "View",
    "Viewer",
    "Derived",
    "UnknownWorld",
    "VersionedWorld",
}
"""Public classes that are no terms."""


def classes(paths: list[Path]) -> set[str]:
    """The public classes of some modules."""
    nodes = [node for path in paths for node in ast.parse(path.read_text()).body]
    return {node.name for node in nodes if isinstance(node, ast.ClassDef) and not node.name.startswith("_")}


def named() -> set[str]:
    """The classes in the last column of the glossary."""
    return set(re.findall(r"\| `([A-Za-z]+)` \|$", GLOSSARY, re.MULTILINE))


def test_every_public_class_is_in_the_glossary() -> None:
    """
    A class that is no term is listed in this file.
    """
    assert classes(PUBLIC) - named() - EXCLUDED == set()


def test_nothing_is_named_that_does_not_exist() -> None:
    """
    Neither in the glossary nor in the list of exclusions.
    """
    assert named() - classes([*(ROOT / "webhook").rglob("*.py")]) == set()
    assert EXCLUDED - classes(PUBLIC) == set()
    assert EXCLUDED & named() == set()


def test_each_term_is_explained_once() -> None:
    """
    Each row has a term and a meaning, and no term has two rows.
    """
    rows = [line.split(" | ") for line in GLOSSARY.splitlines() if line.startswith("| ") and " --- " not in line]
    terms = [row[0].strip("| ") for row in rows if row[1] != "meaning"]

    assert len(terms) == len(set(terms)) > 40
    assert all(row[1].strip() for row in rows)
