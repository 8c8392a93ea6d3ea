"""
What libyaml takes and go-yaml, which Kubernetes has, does not.

go-yaml v2 is libyaml as it was around 0.1.4. Since then libyaml has learnt from YAML 1.2 that a question mark may stand
inside of a word in brackets or braces, that a comma ends a tag there, and that a quoted text may hold an escaped slash.
kubectl and the API server refuse these or take them for something else, so they are refused here. (What only go-yaml takes,
such as ``{a:}`` for a member named "a:", libyaml refuses by itself.)
This file does no I/O.
"""

import re
from collections.abc import Callable
from typing import Final

from webhook.errors import BadInput
from webhook.yaml.events import MAPPING_END, MAPPING_START, SCALAR, SEQUENCE_END, SEQUENCE_START, Event
from webhook.yaml.text import Text

_STARTS: Final = (MAPPING_START, SEQUENCE_START)
_ENDS: Final = (MAPPING_END, SEQUENCE_END)
_OPENING = re.compile(r"(?:^|[\s\[{,:])[\[{](?![\]}])")
_ENDED_TAG = re.compile(r"(?:^|[\s\[{,])![^\s,]*,")
_SLASH = re.compile(r"\\(?:\\|(/)|)")


_SMALL: Final = 400_000
_LARGE: Final = 4_000_000


def is_mostly_repeated(repeated: int, decoded: int) -> bool:
    """Whether go-yaml calls it excessive that ``repeated`` of ``decoded`` nodes come from aliases (``decode.go``)."""
    if repeated <= 100 or decoded <= 1_000:
        return False
    share = min(max(decoded - _SMALL, 0) / (_LARGE - _SMALL), 1)
    return repeated / decoded > 0.99 - 0.89 * share


def may_refuse(text: str) -> bool:
    """Whether the text may hold what go-yaml refuses and libyaml takes."""
    if "\\/" in text or ("!" in text and _ENDED_TAG.search(text) is not None):
        return True
    last = text.rfind("?")
    return last >= 0 and _OPENING.search(text, 0, last) is not None


def as_go_reads(following: Callable[[], Event], text: Text) -> Callable[[], Event]:
    """The same events; ``BadInput`` at the first that go-yaml would not have given."""
    depth = 0  # of brackets and braces: inside of them there is no block style

    def checked() -> Event:
        nonlocal depth
        event = following()
        kind = event.__class__
        if kind is SCALAR:
            fault = _fault(event, text, in_brackets=depth > 0)
            if fault is not None:
                raise fault
        elif kind in _STARTS:
            depth += 1 if depth or event.flow_style else 0
        elif kind in _ENDS and depth:
            depth -= 1
        return event

    return checked


def _fault(event: Event, text: Text, *, in_brackets: bool) -> BadInput | None:
    start, end = event.start_mark.index, event.end_mark.index
    if event.style == '"':
        slash = next((each for each in _SLASH.finditer(text.text, start, end) if each[1]), None)
        if slash is not None:
            return text.refuse(r"kubectl does not know the escape \/", "Write / without a backslash.", slash.start())
    elif in_brackets and not event.style:
        if event.tag is not None and text.text[end : end + 1] == "," and text.text[start:end].split()[-1][0] == "!":
            return text.refuse("kubectl takes a comma for a part of the tag", "Put a space behind the tag.", end)
        mark = text.text.find("?", start, end)
        if mark >= 0:
            return text.refuse(
                "in brackets or braces, kubectl takes ? for the mark of a key", "Put quotes around the text.", mark
            )
    return None
