"""
Finds YAML that libyaml accepts and go-yaml does not accept. Kubernetes uses go-yaml.

go-yaml v2 is a translation of libyaml from around 0.1.4. Since then, libyaml has adopted three rules of YAML 1.2. Inside
brackets or braces, a plain scalar may contain a question mark, and a comma ends a tag. A double-quoted scalar may contain an
escaped slash. kubectl and the API server reject such YAML or read other values from it, so this module reports errors for it.
libyaml rejects syntax that only go-yaml accepts, such as ``{a:}`` for a member named "a:". This module does no I/O.
"""

import re
from collections.abc import Callable
from typing import Final

from webhook.errors import BadInput
from webhook.yaml.events import MAPPING_END, MAPPING_START, SCALAR, SEQUENCE_END, SEQUENCE_START, Event
from webhook.yaml.text import Text

_STARTS: Final = (MAPPING_START, SEQUENCE_START)
_ENDS: Final = (MAPPING_END, SEQUENCE_END)
_SLASH = re.compile(r"\\(?:\\|(/)|)")


_SMALL: Final = 400_000
_LARGE: Final = 4_000_000


def is_mostly_repeated(repeated: int, decoded: int) -> bool:
    """Whether go-yaml reports excessive aliasing if ``repeated`` of ``decoded`` nodes are repeated by aliases (``decode.go``)."""
    if repeated <= 100 or decoded <= 1_000:
        return False
    share = min(max(decoded - _SMALL, 0) / (_LARGE - _SMALL), 1)
    return repeated / decoded > 0.99 - 0.89 * share


def as_go_yaml(next_event: Callable[[], Event], text: Text) -> Callable[[], Event]:
    """
    Returns a function that returns the same events, and raises ``BadInput`` at the first event that go-yaml does not produce.
    """
    depth = 0  # the depth of brackets and braces, inside which block style does not exist

    def checked() -> Event:
        nonlocal depth
        event = next_event()
        kind = event.__class__
        if kind is SCALAR:
            fault = _fault(event, text, is_in_brackets=depth > 0)
            if fault is not None:
                raise fault
        elif kind in _STARTS:
            depth += 1 if depth or event.flow_style else 0
        elif kind in _ENDS and depth:
            depth -= 1
        return event

    return checked


def _fault(event: Event, text: Text, *, is_in_brackets: bool) -> BadInput | None:
    start, end = event.start_mark.index, event.end_mark.index
    if event.style == '"':
        slash = next((match for match in _SLASH.finditer(text.text, start, end) if match[1]), None)
        if slash is not None:
            return text.error(
                r"the escape \/, which kubectl does not support", "Write / without a backslash.", slash.start()
            )
    elif is_in_brackets and not event.style:
        if event.tag is not None and text.text[end : end + 1] == "," and text.text[start:end].split()[-1][0] == "!":
            return text.error(
                "comma after a tag, which kubectl reads as part of the tag", "Add a space after the tag.", end
            )
        mark = text.text.find("?", start, end)
        if mark >= 0:
            return text.error(
                "? inside brackets or braces, which kubectl reads as a key indicator", "Quote the value.", mark
            )
    return None
