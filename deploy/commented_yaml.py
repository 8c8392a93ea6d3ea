"""Writes YAML with comments, and with long expressions in several lines."""

import re
import textwrap
from typing import Final

import yaml

GENERATED: Final = "Written by `python deploy/generate.py`: change the code, not this file."
WIDTH: Final = 120


def heading(note: str = "") -> str:
    """The comment at the start of a generated file."""
    return comment(GENERATED) + (f"#\n{comment(note)}" if note else "")


def comment(text: str, indent: str = "") -> str:
    """Comment lines."""
    wrapped = textwrap.wrap(text, WIDTH - len(indent) - 2, break_long_words=False, break_on_hyphens=False)
    return "".join(f"{indent}# {line}\n" for line in wrapped)


def folded(expression: str, indent: str) -> str:
    """An expression as YAML. Long expressions are folded before operators."""
    if len(indent + expression) < WIDTH - 10:
        plain = yaml.safe_dump(expression, width=1000).removesuffix("...\n").rstrip("\n")
        return f"{plain}\n"
    lines = [""]
    for piece in re.split(r" (?=\|\| |&& )", expression):
        if len(indent + lines[-1] + piece) < WIDTH and lines != [""]:
            lines[-1] += f" {piece}"
        else:
            lines.append(piece)
    return ">-\n" + "".join(f"{indent}{line}\n" for line in lines if line)


def dumped(document: object) -> str:
    """A document without comments."""
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=WIDTH)
    return text


class _Dumper(yaml.SafeDumper):
    """Writes no aliases. Lists of strings are on one line."""

    def ignore_aliases(self, _data: object) -> bool:
        return True

    def represent_items(self, items: list[object]) -> yaml.Node:
        return self.represent_sequence(
            "tag:yaml.org,2002:seq", items, flow_style=all(isinstance(item, str) for item in items)
        )


_Dumper.add_representer(list, _Dumper.represent_items)
