"""Counts differences by kind, and the changed sentences by their old and new form."""

import difflib
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from benchmarks.agreement.kinds import EVERY, WORDING, Difference, differences

MAX_SHOWN = 160
_SENTENCE_END = re.compile(r"(?<=[.:;!?]) +(?=[A-Z`\[(])| ¶ ")
_PLACE = re.compile(r"^(?:spec|metadata|status)\S*: ")
_HIDDEN = "<…>"
"""Replaces a value in a changed sentence."""
_VALUE = re.compile(r"'[^']*'|`[^`]*`|\"[^\"]*\"|\b\d[\w.:]*")


class Comparison:
    """The differences of all answers that have been compared."""

    def __init__(self) -> None:
        self.answers = 0
        self.contents: Counter[str] = Counter()
        """The contents of the old answers: without denials, patches or errors, agreement would mean little."""
        self.counts: Counter[str] = Counter()
        self.samples: dict[str, list[str]] = {}
        self.pairs: Counter[tuple[str, str]] = Counter()

    @property
    def is_wording_only(self) -> bool:
        """Whether no difference is of another kind."""
        return not any(count for kind, count in self.counts.items() if kind != WORDING)

    def add(self, name: str, old: dict[str, Any], new: dict[str, Any], samples: int = 3) -> None:
        """Compares the answers of both checkouts to one question."""
        self.answers += 1
        self.contents.update(_contents(old))
        for difference in differences(old, new):
            self.counts[difference.kind] += 1
            if difference.kind == WORDING:
                self.pairs.update(changed_sentences(difference.old, difference.new))
            elif len(kept := self.samples.setdefault(difference.kind, [])) < samples:
                kept.append(f"{name}: {_sample(difference)}")

    def lines(self) -> Iterator[str]:
        """One line for each kind with its samples, then the changed sentences."""
        held = ", ".join(f"{count} {name}" for name, count in sorted(self.contents.items()))
        yield f"{self.answers} answers compared: {held}"
        pairs = merged(self.pairs)
        for kind in EVERY:
            detail = f" (pairs of sentences: {len(pairs)})" if kind == WORDING else ""
            yield f"{kind}: {self.counts[kind]}{detail}"
            yield from (f"    {sample}" for sample in self.samples.get(kind, ()))
        for (old, new), count in pairs.most_common():
            yield f"{count} x - {_short(old)}"
            yield f"{' ' * len(str(count))}   + {_short(new)}"


def _contents(answer: dict[str, Any]) -> Iterator[str]:
    """The exit status or HTTP status of an answer, its findings, and how a review ends."""
    if "exit" in answer:
        yield f"exit {answer['exit']}"
        for judged in (answer.get("report") or {}).get("objects", ()):
            yield from ("findings" for _ in judged["findings"])
        for run in (answer.get("sarif") or {}).get("runs", ()):
            yield from ("SARIF results" for _ in run["results"])
        yield from ("patches" for line in answer.get("output", {}).get("patches", ()) if line.startswith("@@"))
    else:
        yield f"HTTP {answer['httpStatus']}"
        response = answer.get("review", {}).get("response", {})
        yield from (name for name in ("patch", "warnings") if name in response)
        yield from ("denied" for _ in [...] if response.get("allowed") is False)


def changed_sentences(old: str, new: str) -> Iterator[tuple[str, str]]:
    """Old and new sentences with quoted values and numbers left out; spaces and line ends do not matter."""
    before, after = _sentences(old), _sentences(new)
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for operation, start, end, begin, stop in matcher.get_opcodes():
        if operation == "equal":
            continue
        if end - start == stop - begin:
            pairs = list(zip(before[start:end], after[begin:stop], strict=True))
        else:
            pairs = [(" ".join(before[start:end]), " ".join(after[begin:stop]))]
        for first, second in pairs:
            yield _without_values(first, second)


def _sentences(text: str) -> list[str]:
    return [sentence for sentence in _SENTENCE_END.split(" ".join(text.split())) if sentence]


def _without_values(old: str, new: str) -> tuple[str, str]:
    """Both as patterns, so that one change counts once; as they are where they differ in values alone."""
    first, second = (_VALUE.sub(_HIDDEN, _PLACE.sub("", sentence)).rstrip(".") for sentence in (old, new))
    return (old, new) if first == second else (first, second)


def merged(pairs: Counter[tuple[str, str]]) -> Counter[tuple[str, str]]:
    """With the pairs of which a warning shows the beginning only, counted with a pair that is whole."""
    made: Counter[tuple[str, str]] = Counter()
    for (old, new), count in pairs.items():
        whole = [(old, new)]
        if old.endswith("…") or new.endswith("…"):
            whole += [pair for pair in pairs if all(map(_begins, pair, (old, new)))]
        made[max(whole, key=lambda pair: len("".join(pair)))] += count
    return made


def _begins(whole: str, cut: str) -> bool:
    return whole.startswith(cut.removesuffix("…")) if cut.endswith("…") else whole == cut


def _sample(difference: Difference) -> str:
    return f"{difference.where}: {_short(difference.old)} -> {_short(difference.new)}"


def _short(value: object) -> str:
    text = " ".join((value if isinstance(value, str) else repr(value)).split()) or "(empty)"
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"
