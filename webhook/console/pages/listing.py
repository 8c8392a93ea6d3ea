"""Lists in pages of 100, with headers that sort. This module does no I/O."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Generic, NamedTuple, TypeVar

from webhook.console.pages.addresses import listed
from webhook.console.pages.query import Parameters
from webhook.console.pages.words import number
from webhook.surfaces.api.page.markup import Child, Html, element, join

PAGE: Final = 100
"""The number of rows of a page."""
T = TypeVar("T")


class Part(NamedTuple, Generic[T]):
    """One page of a list. Pages count from 1."""

    items: Sequence[T]
    page: int
    pages: int


class Column(NamedTuple):
    """A column of a list. ``key`` is its value of the parameter ``sort``."""

    key: str
    title: str
    is_number: bool = False


def part_of(items: Sequence[T], page: str, size: int = PAGE) -> Part[T]:
    """The chosen page. A list that has become shorter shows its last page."""
    pages = max(-(-len(items) // size), 1)
    chosen = min(int(page or 1), pages)
    return Part(items[(chosen - 1) * size : chosen * size], chosen, pages)


def header(columns: Iterable[Column], base: str, parameters: Parameters, default: str) -> Html:
    """The head of a table. A link in each column sorts by it, and the second time in the other direction."""
    current = parameters["sort"] or default
    return element("thead", element("tr", (_head(one, current, base, parameters) for one in columns)))


def _head(column: Column, current: str, base: str, parameters: Parameters) -> Html:
    is_current = current.removeprefix("-") == column.key
    is_down = is_current and current.startswith("-")
    sort = f"-{column.key}" if is_current and not is_down else column.key
    link = element(
        "a",
        column.title,
        element("span", " ▾" if is_down else " ▴", aria_hidden="true") if is_current else None,
        href=listed(base, parameters.changed(sort=sort)),
    )
    order = ("descending" if is_down else "ascending") if is_current else None
    return element("th", link, scope="col", aria_sort=order, class_="n" if column.is_number else None)


def counted(chosen: int, total: int, noun: str) -> Html:
    """The number of rows, and of all rows if a filter has left some out."""
    whole = f"{number(total)} {noun if total == 1 else f'{noun}s'}"
    return element("p", whole if chosen == total else f"{number(chosen)} of {whole}", class_="small found")


def pager(part: Part[T], base: str, parameters: Parameters) -> Html | None:
    """Links to the other pages, if there are any."""
    if part.pages < 2:
        return None
    return element("nav", *_steps(part, base, parameters), class_="pager", aria_label="Pages")


def _steps(part: Part[T], base: str, parameters: Parameters) -> Iterator[Child]:
    steps = (("First", 1), ("Previous", part.page - 1), ("", 0), ("Next", part.page + 1), ("Last", part.pages))
    for name, page in steps:
        if not name:
            yield element("span", f"Page {number(part.page)} of {number(part.pages)}")
        elif page != part.page and 1 <= page <= part.pages:
            address = listed(base, parameters.changed(page=str(page) if page > 1 else ""))
            yield element("a", name, class_="button", href=address)
        else:
            yield element("span", name, class_="button", aria_disabled="true")


def chips(filters: Iterable[tuple[str, str, str]], base: str, parameters: Parameters) -> Html | None:
    """The filters in force: parameter, name and value of each, with a link that removes it."""
    items = [
        element(
            "li",
            element("span", name, ": ", element("strong", value)),
            element(
                "a",
                "✕",
                href=listed(base, parameters.changed(**{key: ""})),
                aria_label=f"Remove the filter {name}: {value}",
            ),
        )
        for key, name, value in filters
    ]
    if not items:
        return None
    sort = [("sort", parameters["sort"])]
    items.append(element("li", element("a", "Remove all", href=listed(base, sort)), class_="all"))
    return element("ul", items, class_="chips")


def choice(name: str, label: str, options: Iterable[tuple[str, str]], value: str) -> Html:
    """A menu of a filter. Its first option chooses nothing."""
    return _field(
        name,
        label,
        element(
            "select",
            (element("option", text, value=key, selected=key == value) for key, text in (("", "any"), *options)),
            id=f"by-{name}",
            name=name,
        ),
    )


def text_field(name: str, label: str, value: str, *, hint: str = "", suggestions: Sequence[str] = ()) -> Html:
    """A field of a filter for free text."""
    known = f"known-{name}" if suggestions else None
    field = element(
        "input",
        id=f"by-{name}",
        name=name,
        type="search",
        value=value,
        placeholder=hint or None,
        list=known,
        autocomplete="off",
        spellcheck="false",
    )
    return _field(
        name,
        label,
        join(
            field,
            element("datalist", (element("option", value=one) for one in suggestions), id=known) if known else None,
        ),
    )


def _field(name: str, label: str, field: Html) -> Html:
    return element("div", element("label", label, for_=f"by-{name}"), field, class_="field")
