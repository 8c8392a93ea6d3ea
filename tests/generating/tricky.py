"""
Generates manifests with YAML that readers read differently. The same number gives the same text.

Each is one object of a kind that keeps every field. One third has usual YAML. One third has any YAML that YAML 1.1 and
Kubernetes allow. One third also has invalid YAML, or is damaged.
"""

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

API_VERSION, KIND, NAME = "migratable.test/v1", "Echo", "odd"
HEADER = f"apiVersion: {API_VERSION}\nkind: {KIND}\nmetadata: {{name: {NAME}}}\n"

PIECES: dict[str, list[str]] = json.loads(Path(__file__).with_suffix(".json").read_text("utf-8"))


class Tricky:
    """Generates one text. Every method returns a piece of it."""

    def __init__(self, number: int) -> None:
        self._random = random.Random(number)
        self._odd, self._wrong = number % 3 > 0, number % 3 > 1
        self._anchors: list[str] = []
        self._mappings: list[str] = []
        self._keys = 0

    def document(self) -> str:
        """The whole manifest."""
        members = [self._spaced(self._member(0)) for _ in range(self._random.randint(1, 4))]
        members.insert(self._pick([0, 0, len(members)]), HEADER)
        body = "".join(members)
        if self._wrong and self._one_in(2):
            before, after = body.split(HEADER)
            if before and self._one_in(2):
                before = self._damaged(before)
            else:
                after = self._damaged(after)
            body = before + HEADER + after
        return self._ended(self._framed(body))

    # --- around the object

    def _framed(self, body: str) -> str:
        if self._one_in(4):
            body = self._of("before") + body
        elif self._wrong and self._one_in(8):
            body = self._of("wrong before") + body
        if self._one_in(8):
            body += self._of("behind")
        elif self._wrong and self._one_in(6):
            body += self._of("wrong behind")
        return body

    def _ended(self, body: str) -> str:
        if self._one_in(12):
            body = body.replace("\n", "\r\n")
        elif self._odd and self._one_in(20):
            body = body.replace("\n", "\r")
        if self._one_in(8):
            body = body.rstrip("\n")
        return "\ufeff" + body if self._one_in(40) else body

    def _spaced(self, member: str) -> str:
        if not self._one_in(5):
            return member
        return member + self._pick(["\n", f"{self._of('comments')}\n", f"   {self._of('comments')}\n", "  \n", "\n\n"])

    def _damaged(self, text: str) -> str:
        for _ in range(self._random.randint(1, 2)):
            at, cut = self._random.randint(0, len(text)), self._pick([0, 0, 1, 1, 2, 4])
            text = text[:at] + self._pick(["", *PIECES["damage"]]) + text[at + cut :]
        return text

    # --- mappings and lists in block style

    def _member(self, indent: int, depth: int = 0) -> str:
        """A key with its value: whole lines, indented by ``indent`` or more."""
        margin = " " * indent
        if self._mappings and self._one_in(6):
            return f"{margin}<<: {self._merged()}{self._end()}"
        if self._odd and self._one_in(12):
            return self._key_after_question_mark(indent, depth)
        key = self._key()
        if self._odd and self._anchors and self._one_in(30):
            return f"{margin}*{self._pick(self._anchors)} :{self._value(indent, depth)}"
        colon = self._pick([" :", "  :"]) if self._odd and self._one_in(12) else ":"
        return f"{margin}{key}{colon}{self._value(indent, depth)}"

    def _key_after_question_mark(self, indent: int, depth: int) -> str:
        """A member whose key follows a question mark."""
        key, margin = self._key(), " " * indent
        if self._one_in(4):
            key = f"{self._pick(['|', '>-', '|2'])}\n{margin}  {key}"
        elif self._wrong and self._one_in(4):
            key = self._pick([self._flow(2, indent), "", f"- {key}", f"{key}: 1"])
        value = "" if self._one_in(8) else f"{margin}:{self._value(indent, depth)}"
        return f"{margin}?{' ' * self._random.randint(1, 3)}{key}\n{value}"

    def _value(self, indent: int, depth: int) -> str:
        """The text after the colon, up to the end of the line."""
        if depth < 3 and self._one_in(3):
            return self._block(indent, depth)
        return self._gap() + self._inline(indent, depth)

    def _block(self, indent: int, depth: int) -> str:
        """A mapping or list on lines of its own."""
        is_mapping = self._one_in(2)
        name = self._anchor() if self._odd and self._one_in(3) else ""
        tag = self._pick(["!!map" if is_mapping else "!!seq", "!"]) if self._odd and self._one_in(12) else ""
        opening = "".join(f" {mark}" for mark in (tag, name and f"&{name}") if mark) + self._end()
        deeper = indent + self._pick([1, 2, 2, 2, 4] if is_mapping else [0, 0, 1, 2, 4])
        child = self._member if is_mapping else self._item
        text = "".join(self._spaced(child(deeper, depth + 1)) for _ in range(self._random.randint(1, 3)))
        if name:
            self._anchors.append(name)
            self._mappings += [name] if is_mapping else []
        return opening + text

    def _item(self, indent: int, depth: int) -> str:
        dash = " " * indent + "-" + " " * self._random.randint(1, 3)
        if self._one_in(3):  # compact: a mapping or list that starts on the line of the dash
            lines = self._member(len(dash), depth) if self._one_in(2) else self._item(len(dash), depth)
            return dash + lines[len(dash) :]
        if self._one_in(10):
            return f"{' ' * indent}-{self._end()}"
        return dash + self._inline(indent, depth)

    def _inline(self, indent: int, depth: int) -> str:
        """A value that starts on this line, with the end of the line."""
        marks = ""
        if self._odd:
            if self._anchors and self._one_in(8):
                return f"*{self._pick(self._anchors)}{self._end()}"
            if self._one_in(12):
                return self._tagged(indent) + self._end()
            if self._one_in(12):
                name = self._anchor()
                self._anchors.append(name)
                marks = f"&{name} "
        kind = self._random.randrange(12)
        if kind < 3:
            return marks + self._text_block(indent)
        if kind < 5:
            return marks + self._flow(depth, indent) + self._end()
        if kind < 6:
            return marks + self._many_lines(indent) + self._end()
        return marks + self._scalar() + self._end()

    def _tagged(self, indent: int) -> str:
        if self._wrong and self._one_in(3):
            return f"{self._of('wrong tags')} {self._pick([self._scalar, lambda: self._flow(2, indent)])()}"
        if self._one_in(2):
            return self._of("tagged").replace("\n", f"\n{' ' * indent}")
        return f"{self._of('tags')} {self._scalar()}"

    def _gap(self) -> str:
        return self._pick(["\t", " \t", "\t "] if self._odd and self._one_in(12) else [" ", " ", " ", "   "])

    def _end(self) -> str:
        tabs = ["\t\n", "\t# c\n", " \t\n"] if self._odd and self._one_in(8) else []
        return self._pick(["\n"] * 5 + [f" {self._of('comments')}\n", " \n", "  # c\n", *tabs])

    # --- anchors

    def _anchor(self) -> str:
        return self._pick(["é", "a.b", "a:b", "<<"] if self._wrong and self._one_in(20) else ["a", "b", "x-1", "a1_"])

    def _merged(self) -> str:
        names = [f"*{self._pick(self._mappings)}" for _ in range(2)]
        if self._wrong and self._one_in(6):
            return self._pick(["x", "~", "[x]", f"*{self._pick(self._anchors)}"])
        return self._pick([names[0], names[0], f"[{', '.join(names)}]", "{m: 1}", f"[{names[0]}, {{m: 2}}]", "[]"])

    # --- scalars

    def _key(self) -> str:
        """A key, usually a new one: a duplicate is an error."""
        self._keys += 1
        fresh = f"k{self._keys}"
        if self._wrong and self._one_in(30):
            return self._pick(["x" * 1025, *PIECES["wrong keys"]])
        if not self._odd or self._one_in(2):
            return self._pick([fresh, fresh, fresh, f"'{fresh} '", f'"{fresh}"', f"{fresh}.x/y", f"{fresh} z"])
        odd: list[Callable[[], str]] = [
            lambda: self._pick([word for word in PIECES["words"] if word.lower() not in ("~", "null")]),
            lambda: self._of("numbers"),
            self._digits,
            lambda: f'"{fresh}{self._of("escapes")}"',
            lambda: fresh + self._pick(["#x", ":x", "-", "?", "]", ",", "é", "\u00a0"]),
            lambda: '""',
            lambda: "x" * self._pick([120, 1020, 1023]) + fresh[-1],
            lambda: f"!!str {fresh}",
            lambda: self._pick(["-", "?", ":", "=", "."]) + fresh,
            lambda: f"!!int {self._random.randint(0, 99)}",
            lambda: f"&{self._anchor()} {fresh}",
        ]
        return self._pick(odd)()

    def _scalar(self) -> str:
        if self._one_in(3):
            return self._pick([self._single, self._double])()
        if self._wrong and self._one_in(12):
            return self._of("wrong plain")
        if not self._odd:
            return self._of(self._pick(["plain", "mild", "mild"]))
        return (
            self._digits() if self._one_in(6) else self._of(self._pick(["words", "numbers", "plain", "plain", "mild"]))
        )

    def _digits(self) -> str:
        """A number, or a scalar that looks like one."""
        if self._one_in(3):
            return repr(self._random.uniform(-1, 1) * 10 ** self._random.randint(-25, 25))
        if self._one_in(3):
            return str(self._random.randint(-(2**70), 2**70) >> self._random.randint(0, 70))
        digits = [self._pick("0011789__.eExXobB+:af") for _ in range(self._random.randint(1, 7))]
        return self._pick("0123456789+-.") + "".join(digits) + "1"

    def _single(self) -> str:
        pieces = [self._pick([*PIECES["quoted"], "''", "\\"]) for _ in range(self._random.randint(0, 3))]
        return f"'{''.join(pieces)}'"

    def _double(self) -> str:
        pieces = [self._of(self._pick(["quoted", "escapes"])) for _ in range(self._random.randint(0, 4))]
        if self._wrong and self._one_in(6):
            pieces.append(self._of("wrong escapes"))
        return f'"{"".join(pieces)}"'

    def _many_lines(self, indent: int) -> str:
        """A plain or quoted scalar over several lines."""
        quote = self._pick(["", "'", '"'])
        words = [*PIECES["lines"], *(PIECES["quoted lines"] if quote else [])]
        words += PIECES["escaped lines"] if quote == '"' else []
        tabs = ["", "", "\t"] if self._odd else [""]
        lines = [self._pick(words)]
        for _ in range(self._random.randint(1, 3)):
            lines += [self._pick(["", " ", *tabs])] * self._pick([0, 0, 0, 1, 2])
            margin = " " * (indent + self._pick([1, 1, 2, 4])) + self._pick(tabs)
            lines.append(margin + self._pick(words) + self._pick(["", " ", *tabs]))
        return quote + "\n".join(lines) + quote

    def _text_block(self, indent: int) -> str:
        """A literal or folded block scalar with any header."""
        deeper = self._pick([1, 2, 2, 2, 3, 9])
        digit = str(deeper) if self._one_in(3) else ""
        chomp = self._pick(["", "", "-", "+"])
        margin = " " * (indent + deeper)
        words = [*PIECES["text lines"], *([" w", "  v"] if digit or self._one_in(2) else [])]
        words += ["y\t", "\tz", "x\u2028y", "\u0085"] if self._odd else []
        blank = ["", "", " ", margin, *([f"{margin}  ", f"{margin}\t"] if self._odd else [])]
        lines = [self._pick(blank)] if self._one_in(6) else []
        for _ in range(self._random.randint(0, 4)):
            lines.append(margin + self._pick(words))
            lines += [self._pick(blank)] * self._pick([0, 0, 0, 1, 2])
        if self._one_in(10):
            lines.append(" " * self._random.randint(0, indent + deeper) + "# c")
        header = self._pick("|>") + self._pick([digit + chomp, chomp + digit])
        return header + self._end() + "".join(f"{line}\n" for line in lines)

    # --- flow style

    def _flow(self, depth: int, indent: int) -> str:
        """A mapping or list in brackets, perhaps over several lines."""
        if self._one_in(2):
            entries = [self._flow_value(depth, indent) for _ in range(self._random.randint(0, 3))]
            if self._one_in(6):
                entries.append("[]: 1" if self._wrong and self._one_in(8) else self._of("flow items"))
            return self._in_brackets("[]", entries, indent)
        entries = []
        for _ in range(self._random.randint(0, 3)):
            key, value = self._flow_key(), self._flow_value(depth, indent)
            odd = [f"{key} : {value}", f"{key}:{value}", f"{key}:\t{value}", f"? {key} : {value}"]
            odd += [key, f"? {key}", f"{key}:" if self._wrong else key]
            entries.append(self._pick(odd) if self._one_in(6) else f"{key}: {value}")
        return self._in_brackets("{}", entries, indent)

    def _in_brackets(self, pair: str, entries: list[str], indent: int) -> str:
        deeper = "\n" + " " * (indent + self._pick([1, 2, 4]))
        gaps = ["", " ", deeper, f" # c{deeper}", *(["\t"] if self._odd else [])] if self._one_in(3) else ["", " "]
        between = [gap for gap in gaps if gap]
        text = "".join(
            (f",{self._pick(between)}" if index else self._pick(gaps)) + entry for index, entry in enumerate(entries)
        )
        last = f"{self._pick(gaps)}," if entries and self._one_in(5) else ""
        return pair[0] + text + last + self._pick(gaps) + pair[1]

    def _flow_key(self) -> str:
        self._keys += 1
        fresh = f"f{self._keys}"
        if self._odd and self._one_in(6):
            odd = ['""', f'"{fresh}\\t"', f"-{fresh}", f"{fresh}#", f":{fresh}", f"&a {fresh}"]
            return self._pick([self._of("numbers"), *odd])
        return self._pick([fresh, fresh, fresh, f"'{fresh}'", f'"{fresh}"', f"{fresh} z"])

    def _flow_value(self, depth: int, indent: int) -> str:
        if depth < 3 and self._one_in(5):
            return self._flow(depth + 1, indent)
        if self._anchors and self._one_in(12):
            return f"*{self._pick(self._anchors)}"
        if self._odd and self._one_in(12):
            return f"{self._of('tags')} {self._pick([self._single, self._double])()}"
        if self._wrong and self._one_in(12):
            return self._of("wrong flow")
        scalar = self._scalar()
        return scalar if self._wrong or not any(mark in scalar for mark in "[]{},") else "z"

    # --- chance

    def _one_in(self, many: int) -> bool:
        return self._random.randrange(many) == 0

    def _pick(self, among: Sequence[T]) -> T:
        return self._random.choice(among)

    def _of(self, kind: str) -> str:
        return self._pick(PIECES[kind])
