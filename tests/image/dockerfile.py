"""Reads the Dockerfile and the .dockerignore."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "Dockerfile"
DOCKERIGNORE = ROOT / ".dockerignore"


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: ``RUN``, and all that follows it, on one line."""

    name: str
    value: str

    @property
    def words(self) -> list[str]:
        """The value of an instruction in its JSON form."""
        words: list[str] = json.loads(self.value)
        return words


def stages() -> list[list[Instruction]]:
    """The instructions of each stage, its FROM first; those before the first FROM are a stage of their own."""
    built: list[list[Instruction]] = [[]]
    for line in _lines():
        name, _, value = line.partition(" ")
        if name == "FROM":
            built.append([])
        built[-1].append(Instruction(name, value.strip()))
    return built


def values(stage: list[Instruction], name: str) -> list[str]:
    """The arguments of each instruction of that name."""
    return [instruction.value for instruction in stage if instruction.name == name]


def pairs(stage: list[Instruction], name: str) -> dict[str, str]:
    """The KEY=value pairs of a stage's ENV, LABEL or ARG, without their quotes."""
    text = " ".join(values(stage, name))
    return {key: quoted or plain for key, quoted, plain in re.findall(r'(\S+?)=(?:"([^"]*)"|(\S*))', text)}


def let_in() -> list[str]:
    """The entries that .dockerignore, which excludes all files, includes again."""
    first, *others = [line for line in DOCKERIGNORE.read_text().splitlines() if line and not line.startswith("#")]
    assert first == "*"
    return [line.removeprefix("!").rstrip("/") for line in others if line.startswith("!")]


def _lines() -> list[str]:
    kept = [line for line in DOCKERFILE.read_text().splitlines() if not line.lstrip().startswith("#")]
    return [re.sub(r"\s+", " ", line).strip() for line in "\n".join(kept).replace("\\\n", " ").splitlines() if line]
