"""
Builds HTML from elements. All text is escaped, except text of type ``Html``, which only this module creates. Unprintable
characters other than line ends and tabs become visible escapes.

``element("p", "a < b", class_="small")`` gives ``<p class="small">a &lt; b</p>``. This module does no I/O.
"""

from collections.abc import Iterable
from html import escape
from typing import Final, TypeAlias

from webhook.report.printable import escaped

MOST_PROSE: Final = 2000
"""Maximum number of characters of a message."""
_VOID: Final = frozenset({"br", "hr", "img", "input", "link", "meta", "wbr"})
_ADDRESSES: Final = frozenset({"href", "src", "action"})
_SAFE_STARTS: Final = ("/", "#", "?", "https://")


class Html(str):
    """Escaped text with tags."""

    __slots__ = ()


Child: TypeAlias = "str | int | None | Iterable[Child]"
"""Text, an element (``Html``), nothing, or several of them."""
Attribute: TypeAlias = str | int | bool | None


def element(tag: str, *children: Child, **attributes: Attribute) -> Html:
    """
    An element. ``class_`` gives ``class``, ``aria_label`` gives ``aria-label``.

    An attribute that is None or False is left out, and True gives an attribute without a value. An address must lead to this
    server or begin with ``https://``: another address raises ValueError.
    """
    start = f"<{tag}{''.join(_attribute(name, value) for name, value in attributes.items())}>"
    return Html(start if tag in _VOID else f"{start}{join(children)}</{tag}>")


def join(*children: Child) -> Html:
    """The children without an element around them."""
    return Html("".join(_child(child) for child in children))


def prose(text: str) -> Html:
    """Text, with the parts between backticks as code. Long text is cut."""
    return join(element("code", part) if index % 2 else part for index, part in enumerate(shortened(text).split("`")))


def shortened(text: str, most: int = MOST_PROSE) -> str:
    """Text of at most so many characters. A value in a manifest can have a million, and a message can repeat it."""
    return text if len(text) <= most else f"{text[:most]}…"


def drawing(svg: str) -> Html:
    """A picture of ``webhook.report.drain.drain_picture``, which has numbers and fixed words only."""
    return Html(svg)


def _child(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Html):
        return child
    if isinstance(child, str | int):
        return escape(_visible(str(child)), quote=False)
    return "".join(map(_child, child))


def _visible(text: str) -> str:
    if text.isprintable():
        return text
    return "\n".join("\t".join(map(escaped, line.split("\t"))) for line in text.split("\n"))


def _attribute(name: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    name = name.rstrip("_").replace("_", "-")
    if value is True:
        return f" {name}"
    text = _visible(str(value))
    if name in _ADDRESSES and (not text.startswith(_SAFE_STARTS) or text.startswith(("//", "/\\"))):
        raise ValueError(f"{name}: {text!r} leads to an unknown place")
    return f' {name}="{escape(text)}"'
